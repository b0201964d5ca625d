import ArgumentParser
import Credentials
import FoundationEssentials
import JSON
import Operations
import ServiceKit

struct CredentialsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set or rotate a provider connection's credential.",
        discussion: """
            A client secret comes from --secret-file, or from the standard input: never as
            an argument, which others may read. A certificate comes with its RSA key, both
            in PEM, in one file or two. It is sealed at once, and nobody can look at it
            again.

            No call is made with the one before any more, its tokens included: what runs
            goes on with the new one. The answer tells when the last call with the old one
            was off the wire.

            EXAMPLES
              atlas credentials set 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11 --secret-file secret.txt
              atlas credentials set 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11 --expires 2027-05-31
              atlas credentials set 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11 --certificate app.pem
            """)

    @OptionGroup var argument: ConnectionArgument

    @Option(help: "A file with the client secret; without it the standard input is read.")
    var secretFile: String?

    @Option(help: "A PEM file with the certificate, and its key unless --key names that.")
    var certificate: String?

    @Option(help: "A PEM file with the certificate's key.")
    var key: String?

    @Option(help: "The day on which a client secret expires, for example 2027-05-31.")
    var expires: String?

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard certificate == nil || (secretFile == nil && expires == nil) else {
            throw ValidationError("--certificate goes without --secret-file and --expires.")
        }
        guard key == nil || certificate != nil else { throw ValidationError("--key needs --certificate.") }
        guard expires == nil || expiry != nil else {
            throw ValidationError("--expires must be a day such as 2027-05-31.")
        }
    }

    func run() async throws {
        let body = try certificate.map(certificateBody) ?? secretBody()
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "PUT", argument.path + "/credential", body, timeout: APIClient.barrierTimeout,
                doing: "set the credential")
            output.tell(answer.body) { style in
                let pairs = ConnectionView.credential(answer.body["credential"] ?? .null, style)
                let lines = ["\(style.paint("set", .good))."] + Table.pairs(pairs, style)
                guard answer.body["effective_at"] != nil else { return lines }
                return lines + [""]
                    + BarrierView(answer.body).lines("The one before is used no longer.", style)
            }
            if answer.status == 202 { throw ExitCode(Failure.Code.refused.rawValue) }
        }
    }

    private func secretBody() throws -> JSON {
        let secret = try SecretFile.readLine(
            secretFile, what: "client secret", limit: ProviderCredential.secretLimit)
        return [
            "kind": "secret", "client_secret": .string(secret), "expires_at": .optional(expiry),
        ]
    }

    private func certificateBody(_ path: String) throws -> JSON {
        let limit = CertificateCredential.textLimit
        let text = try SecretFile.read(path, what: "certificate", limit: limit)
        let keyText = try key.map { try SecretFile.read($0, what: "key", limit: limit) } ?? text
        return [
            "kind": "certificate", "certificate": .string(PEMText.blocks(text) { $0 == "CERTIFICATE" }),
            "private_key": .string(PEMText.blocks(keyText) { $0.hasSuffix("PRIVATE KEY") }),
        ]
    }

    /// The day's end in UTC, as the API reads times.
    private var expiry: String? {
        guard let expires else { return nil }
        let text = "\(expires)T23:59:59.000000Z"
        return Timestamp(json: .string(text)).map { "\($0)" }
    }
}
