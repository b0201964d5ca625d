import ArgumentParser
import Graph
import JSON
import Operations
import Sealing
import Store

struct CredentialsResealCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reseal",
        abstract: "Seal all credentials anew, to another key. Needs the consumers' keys.",
        discussion: """
            Needs DATABASE_URL of a login that reads credentials (role tenantatlas_gateway),
            CREDENTIAL_PUBLIC_KEY (the new key) and CREDENTIAL_PRIVATE_KEY (the old ones,
            one a line). Runs go on meanwhile: first give the consumers both private keys
            and the Starter the new public key, then reseal, then take the old private key
            away. It can be stopped and begun again at any moment. The exit code is 1 when
            some could not be opened; they stay as they were.

            EXAMPLE
              atlas credentials reseal
            """)

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        let settings = Settings()
        let (key, privateKeys) = (try settings.credentialKey(), try settings.credentialPrivateKeys())
        try await settings.withDatabase { pool in
            let resealing = CredentialResealing(
                changes: CredentialChanges(pool: pool), opener: Opener(privateKeys: privateKeys), to: key)
            let report = try await resealing.run { count in
                if !output.isJSON { output.terminal.progress("\(count) sealed anew") }
            }
            if !output.isJSON { output.terminal.endProgress() }
            output.tell(Self.json(report, key)) { Self.lines(report, key, $0) }
            if !report.refused.isEmpty { throw ExitCode(Failure.Code.refused.rawValue) }
        }
    }

    private static func json(_ report: CredentialResealing.Report, _ key: SealingPublicKey) -> JSON {
        [
            "key_id": .string("\(key.id)"), "resealed": .int(report.resealed),
            "refused": .array(
                report.refused.map { refusal in
                    [
                        "provider_connection_id": .string("\(refusal.connection)"),
                        "tenant_id": .string("\(refusal.tenant)"), "key_id": .string(refusal.keyID),
                        "because": .string("\(refusal.error)"),
                    ]
                }),
        ]
    }

    private static func lines(
        _ report: CredentialResealing.Report, _ key: SealingPublicKey, _ style: Style
    ) -> [String] {
        let done = "\(report.resealed) credentials were sealed anew, to the key \(key.id)."
        guard !report.refused.isEmpty else { return [done, "None is sealed to another key any more."] }
        return [
            done, style.paint("\(report.refused.count) could not be opened, and stay as they were:", .bad),
        ]
            + Table.lines(
                ["CONNECTION", "KEY", "BECAUSE"],
                report.refused.map { [Cell("\($0.connection)"), Cell($0.keyID), Cell("\($0.error)")] }, style)
    }
}
