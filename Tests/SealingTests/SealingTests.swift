import FoundationEssentials
import Sealing
import Testing

/// Ready-made values.
enum Sample {
    static let tenant = UUID(uuidString: "00000000-0000-4000-8000-000000000001")!
    static let connection = UUID(uuidString: "00000000-0000-4000-8000-000000000002")!
    static let other = UUID(uuidString: "00000000-0000-4000-8000-0000000000ff")!
    static let context = SealingContext.providerCredential(tenant: tenant, connection: connection, version: 3)

    static func bytes(_ secret: Secret) -> [UInt8] { secret.reveal { $0 } }
}

@Suite struct SealingTests {
    let key = SealingPrivateKey()

    private func seal(_ value: [UInt8], _ context: SealingContext = Sample.context) throws -> Sealed {
        try Sealer(publicKey: key.publicKey).seal(Secret(value), context)
    }

    private func open(_ sealed: Sealed, _ context: SealingContext = Sample.context) throws -> [UInt8] {
        Sample.bytes(try Opener(privateKeys: [key]).open(sealed, context))
    }

    @Test(arguments: [0, 1, 15, 16, 17, 255, 4_096, Sealer.longestValue])
    func whatIsSealedOpens(length: Int) throws {
        let value = (0..<length).map { _ in UInt8.random(in: 0...255) }
        let sealed = try seal(value)
        #expect(try open(sealed) == value)
        #expect(sealed.bytes.count == length + 1 + 32 + 16)
    }

    @Test func tooLongIsRefused() {
        let value = [UInt8](repeating: 7, count: Sealer.longestValue + 1)
        #expect(throws: SealingError.tooLong) { try seal(value) }
    }

    @Test func sealingTwiceGivesDifferentBytesWithoutTheValue() throws {
        let value = Array("a client secret that is long enough to find".utf8)
        let sealed = try [seal(value), seal(value)]
        #expect(sealed[0].bytes != sealed[1].bytes)
        for one in sealed { #expect(!one.bytes.contains(value)) }
    }

    @Test func everyFlippedBitIsRefused() throws {
        let sealed = try seal(Array("client secret".utf8))
        for bit in 0..<(sealed.bytes.count * 8) {
            var bytes = sealed.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: SealingError.notAuthentic, "bit \(bit)") {
                try open(Sealed(keyID: sealed.keyID, bytes: bytes))
            }
        }
    }

    @Test func everyTruncationAndExtensionIsRefused() throws {
        let sealed = try seal(Array("client secret".utf8))
        for length in 0..<sealed.bytes.count {
            #expect(throws: SealingError.notAuthentic, "\(length) bytes") {
                try open(Sealed(keyID: sealed.keyID, bytes: Array(sealed.bytes.prefix(length))))
            }
        }
        #expect(throws: SealingError.notAuthentic) {
            try open(Sealed(keyID: sealed.keyID, bytes: sealed.bytes + [0]))
        }
    }

    static let otherContexts: [SealingContext] = [
        .providerCredential(tenant: Sample.other, connection: Sample.connection, version: 3),
        .providerCredential(tenant: Sample.tenant, connection: Sample.other, version: 3),
        .providerCredential(tenant: Sample.connection, connection: Sample.tenant, version: 3),
        .providerCredential(tenant: Sample.tenant, connection: Sample.connection, version: 2),
        .providerCredential(tenant: Sample.tenant, connection: Sample.connection, version: 33),
        .webhookKey(workspace: Sample.tenant, webhook: Sample.connection, number: 3),
        .webhookAddress(workspace: Sample.tenant, webhook: Sample.connection),
    ]

    @Test(arguments: otherContexts) func anotherContextIsRefused(_ context: SealingContext) throws {
        let sealed = try seal(Array("client secret".utf8))
        #expect(throws: SealingError.notAuthentic) { try open(sealed, context) }
        let other = try seal(Array("client secret".utf8), context)
        #expect(throws: SealingError.notAuthentic) { try open(other) }
    }

    @Test func aKeyThatIsNotHeldIsNamed() throws {
        let sealed = try seal([1])
        let opener = Opener(privateKeys: [SealingPrivateKey()])
        #expect(throws: SealingError.keyNotHeld(key.publicKey.id)) { try opener.open(sealed, Sample.context) }
        #expect(throws: SealingError.keyNotHeld(sealed.keyID)) {
            try Opener(privateKeys: []).open(sealed, Sample.context)
        }
    }

    @Test func aWrongKeyUnderTheRightNameIsRefused() throws {
        let other = SealingPrivateKey()
        let sealed = try seal([1, 2, 3])
        #expect(throws: SealingError.notAuthentic) {
            try Opener(privateKeys: [other]).open(
                Sealed(keyID: other.publicKey.id, bytes: sealed.bytes), Sample.context)
        }
    }

    @Test func anOpenerHoldsSeveralKeys() throws {
        let keys = (0..<3).map { _ in SealingPrivateKey() }
        let opener = Opener(privateKeys: keys)
        for (index, key) in keys.enumerated() {
            let sealed = try Sealer(publicKey: key.publicKey).seal(Secret([UInt8(index)]), Sample.context)
            #expect(Sample.bytes(try opener.open(sealed, Sample.context)) == [UInt8(index)])
        }
    }
}
