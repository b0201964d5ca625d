package import Operations
package import Sealing
package import Store

/// Seals all credentials anew, to another key pair, while runs go on.
///
/// Opening takes the private keys of the pairs before, so this works only where the consumers' keys are. It changes
/// only rows that are still as they were read, in small batches, and each batch is audited with it: it can be stopped at
/// any moment and begun again.
package struct CredentialResealing: Sendable {
    /// Credentials of one batch.
    package static let batch = 100
    /// How often rows that others changed meanwhile are gone through again.
    private static let mostPasses = 10

    /// What came of it.
    package struct Report: Sendable, Hashable {
        /// How many were sealed anew.
        package var resealed = 0
        /// Those that could not be opened, and why. They are as they were.
        package var refused: [Refusal] = []
    }

    /// A credential that could not be opened.
    package struct Refusal: Sendable, Hashable {
        package let connection: ConnectionID
        package let tenant: TenantID
        /// The key that it is sealed to.
        package let keyID: String
        package let error: SealingError
    }

    private let changes: CredentialChanges
    private let opener: Opener
    private let key: SealingPublicKey

    /// `opener` holds the private keys of the pairs before; `key` is of the pair to come.
    package init(changes: CredentialChanges, opener: Opener, to key: SealingPublicKey) {
        self.changes = changes
        self.opener = opener
        self.key = key
    }

    /// Goes through everything that is sealed to other keys. `progress` is told after each batch how many are done.
    /// Throws the database's error; what was done by then stays.
    package func run(progress: (Int) -> Void) async throws -> Report {
        var report = Report()
        for _ in 0..<Self.mostPasses {
            let before = report.resealed
            let hasMissed = try await pass(&report, progress)
            if !hasMissed || report.resealed == before { break }
        }
        return report
    }

    /// Once through everything. Returns whether some were changed by others meanwhile, and so may still be to do.
    private func pass(_ report: inout Report, _ progress: (Int) -> Void) async throws -> Bool {
        report.refused = []
        var hasMissed = false
        var after: ConnectionID?
        while true {
            let rows = try await changes.sealedToOthers(than: "\(key.id)", after: after, limit: Self.batch)
            guard let last = rows.last else { return hasMissed }
            after = last.connection
            var entries: [(stored: CredentialChanges.Stored, keyID: String, sealed: [UInt8])] = []
            for row in rows {
                do throws(SealingError) {
                    let sealed = try reseal(row)
                    entries.append((row, "\(sealed.keyID)", sealed.bytes))
                } catch {
                    report.refused.append(
                        Refusal(
                            connection: row.connection, tenant: row.tenant, keyID: row.credential.keyID,
                            error: error))
                }
            }
            let written = entries.isEmpty ? 0 : try await changes.reseal(entries)
            hasMissed = hasMissed || written < entries.count
            report.resealed += written
            progress(report.resealed)
        }
    }

    private func reseal(_ row: CredentialChanges.Stored) throws(SealingError) -> Sealed {
        let context = SealingContext.providerCredential(
            tenant: row.tenant.uuid, connection: row.connection.uuid, version: row.credential.version)
        let value = try opener.open(
            Sealed(keyID: KeyID(row.credential.keyID), bytes: row.credential.sealed), context)
        return try Sealer(publicKey: key).seal(value, context)
    }
}
