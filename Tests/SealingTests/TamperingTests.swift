import FoundationEssentials
import Sealing
import SeededRandom
import Testing

/// A table of sealed credentials, attacked by somebody who may write it.
@Suite struct TamperingTests {
    /// A row as it is stored; whoever attacks may change any of it.
    private struct Row {
        var tenant: UUID
        var connection: UUID
        var version: Int
        var sealed: Sealed

        var context: SealingContext {
            .providerCredential(tenant: tenant, connection: connection, version: version)
        }
    }

    private let key = SealingPrivateKey()

    private func rows(_ random: inout SplitMix) throws -> [Row] {
        let sealer = Sealer(publicKey: key.publicKey)
        let tenants = (0..<4).map { _ in UUID() }
        return try (0..<24).map { index in
            let value = (0..<Int.random(in: 1...200, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            let (tenant, connection, version) = (tenants[index % 4], UUID(), index % 3 + 1)
            let context = SealingContext.providerCredential(
                tenant: tenant, connection: connection, version: version)
            return Row(
                tenant: tenant, connection: connection, version: version,
                sealed: try sealer.seal(Secret(value), context))
        }
    }

    @Test func noneOf100000FlippedBitsOpens() throws {
        var (random, seed) = SplitMix.announced(for: "flipped bits")
        let rows = try rows(&random)
        let opener = Opener(privateKeys: [key])
        for number in 0..<100_000 {
            var row = rows[number % rows.count]
            // A bit of the sealed bytes, or of what they are bound to.
            var (tenant, connection, version) = (row.tenant.uuid, row.connection.uuid, UInt32(row.version))
            var bytes = row.sealed.bytes
            switch Int.random(in: 0..<8, using: &random) {
            case 0: withUnsafeMutableBytes(of: &tenant) { Self.flip($0, &random) }
            case 1: withUnsafeMutableBytes(of: &connection) { Self.flip($0, &random) }
            case 2: withUnsafeMutableBytes(of: &version) { Self.flip($0, &random) }
            default: bytes.withUnsafeMutableBytes { Self.flip($0, &random) }
            }
            (row.tenant, row.connection, row.version) = (
                UUID(uuid: tenant), UUID(uuid: connection), Int(version)
            )
            row.sealed = Sealed(keyID: row.sealed.keyID, bytes: bytes)
            if let opened = try? opener.open(row.sealed, row.context) {
                Issue.record("seed \(seed), number \(number): \(Sample.bytes(opened).count) bytes opened")
                return
            }
        }
        for row in rows { _ = try opener.open(row.sealed, row.context) }
    }

    private static func flip(_ bytes: UnsafeMutableRawBufferPointer, _ random: inout SplitMix) {
        let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
        bytes[bit / 8] ^= 1 << (bit % 8)
    }

    /// Every sealed value in every other row's place, and each under every other row's parts.
    @Test func noSwappedRowOpens() throws {
        var (random, _) = SplitMix.announced(for: "swapped rows")
        let rows = try rows(&random)
        let opener = Opener(privateKeys: [key])
        var count = 0
        for (place, row) in rows.enumerated() {
            for (other, from) in rows.enumerated() where place != other {
                let contexts: [SealingContext] = [
                    row.context,
                    .providerCredential(
                        tenant: row.tenant, connection: from.connection, version: from.version + 3),
                    .providerCredential(tenant: UUID(), connection: from.connection, version: from.version),
                    .providerCredential(
                        tenant: from.tenant, connection: row.connection, version: from.version),
                    .providerCredential(
                        tenant: from.connection, connection: from.tenant, version: from.version),
                    .webhookKey(workspace: from.tenant, webhook: from.connection, number: from.version),
                ]
                for context in contexts {
                    #expect(throws: SealingError.notAuthentic) { try opener.open(from.sealed, context) }
                    count += 1
                }
            }
        }
        #expect(count == 24 * 23 * 6)
    }

    /// The form with its length, and what is cut off or put together from two.
    @Test func piecesOfTwoDoNotOpen() throws {
        var (random, _) = SplitMix.announced(for: "pieces")
        let rows = try rows(&random)
        let opener = Opener(privateKeys: [key])
        for first in rows {
            for second in rows where second.connection != first.connection {
                // Within what is different in both: behind the form, and before the last bytes.
                let cut = Int.random(in: 9..<42, using: &random)
                let bytes = Array(first.sealed.bytes[..<cut] + second.sealed.bytes[cut...])
                let mixed = Sealed(keyID: first.sealed.keyID, bytes: bytes)
                for context in [first.context, second.context] {
                    #expect(throws: SealingError.self) { try opener.open(mixed, context) }
                }
            }
        }
    }
}
