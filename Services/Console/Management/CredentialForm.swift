import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

/// Setting and rotating a connection's credential. What is secret of it goes to the Starter, which seals it, and is in no
/// page: not even in the one that says what is wrong with it.
struct CredentialForm: Sendable {
    let tenants: TenantReading
    let access: AccessReading
    let starter: StarterClient

    private struct View: Sendable {
        let connection: ConnectionView
        let action: String
        let isSecret: Bool
        /// A certificate is no secret.
        let certificate: String
        let expiresOn: String
        let problems: [String]
        let button: String
    }

    private static let labels = [
        "/client_secret": "The client secret", "/certificate": "The certificate",
        "/private_key": "The private key", "/expires_at": "The day on which it expires", "/kind": "The kind",
    ]

    func show(_ id: ConnectionID, _ visit: Visit) async throws -> SitePage {
        let connection = try await managed(id, visit)
        let form = FormBody(pairs: [("kind", connection.credential?.kind ?? "secret")])
        return page(connection, form, problems: [], visit)
    }

    private func page(
        _ connection: ConnectionSummary, _ form: FormBody, problems: [String], _ visit: Visit
    ) -> SitePage {
        let isFirst = connection.credential == nil
        return SitePage(
            template: "credential", title: "Credential of \(connection.displayName)", section: .connections,
            content: View(
                connection: ConnectionView(connection, now: visit.now),
                action: Link.credential(connection.id),
                isSecret: form["kind"] != "certificate",
                certificate: Self.shown(form["certificate"] ?? ""),
                expiresOn: form["expires_on"] ?? "", problems: problems,
                button: isFirst ? "Set the credential" : "Replace the credential"))
    }

    func set(_ id: ConnectionID, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let connection = try await managed(id, visit)
        let body: JSON
        do { body = try Self.body(form) } catch {
            return .again(page(connection, form, problems: [error.sentence], visit))
        }
        let answer = await starter.send(
            "PUT", "/v1/provider-connections/\(id)/credential", body, as: visit.secret)
        guard answer.isSuccess else {
            return .again(page(connection, form, problems: answer.problems(Self.labels), visit))
        }
        let done =
            connection.credential == nil
            ? "The credential was set. Check the connection now."
            : "The credential was replaced: nothing is called with the one before any more."
        if let address = TookEffectPage.address(done, answer.body, origin: Link.connection(id), visit) {
            return .done(Outcome(path: address, notice: nil))
        }
        return .done(Outcome(path: Link.connection(id), notice: Notice(.good, done)))
    }

    private struct Incomplete: Error {
        let sentence: String
    }

    /// What the API takes. A file counts before what was pasted; certificate and key may stand in one text.
    private static func body(_ form: FormBody) throws(Incomplete) -> JSON {
        guard form["kind"] == "certificate" else {
            guard let secret = form["client_secret"] else {
                throw Incomplete(sentence: "Paste the client secret.")
            }
            return [
                "kind": "secret", "client_secret": .string(secret),
                "expires_at": .optional(form["expires_on"].map { "\($0)T00:00:00.000000Z" }),
            ]
        }
        guard let certificate = form["certificate_file"] ?? form["certificate"] else {
            throw Incomplete(sentence: "Paste the certificate, or choose its file.")
        }
        let key = form["private_key_file"] ?? form["private_key"] ?? certificate
        guard key.contains("PRIVATE KEY-----") else {
            throw Incomplete(
                sentence: "Paste the private key, or choose its file: a text that begins with «-----BEGIN».")
        }
        return [
            "kind": "certificate",
            "certificate": .string(PEMText.blocks(certificate) { $0 == "CERTIFICATE" }),
            "private_key": .string(PEMText.blocks(key) { $0.hasSuffix("PRIVATE KEY") }),
        ]
    }

    /// Of a text that may hold anything, what may be shown again: certificates.
    private static func shown(_ text: String) -> String {
        let blocks = PEMText.blocks(text) { $0 == "CERTIFICATE" }
        return blocks.hasPrefix("-----BEGIN CERTIFICATE-----") ? blocks : ""
    }

    private func managed(_ id: ConnectionID, _ visit: Visit) async throws -> ConnectionSummary {
        try await Access(of: visit.principal, at: .connection(id), access).require(.providerManage)
        guard let connection = try await tenants.connection(id) else { throw Fault.notFound }
        return connection
    }
}
