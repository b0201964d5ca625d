import Curl
import FoundationEssentials
import JSON
import ServiceKit
import Synchronization

/// The organisation's identity provider (OpenID Connect, authorization code with PKCE).
final class OpenIDProvider: Sendable {
    /// What the platform engineer sets.
    struct Settings: Sendable {
        /// As the provider writes it; for Entra ID `https://login.microsoftonline.com/<directory>/v2.0`.
        let issuer: String
        let clientID: String
        let clientSecret: Secret
    }

    /// Why nobody was signed in.
    enum Failure: Error, Equatable {
        /// It can't be reached, or its description is not of this issuer.
        case unavailable
        /// It did not take the code.
        case refused
        case token(OpenIDToken.Refusal)
    }

    /// What the provider says of itself.
    private struct Description: Sendable {
        let authorization: String
        let token: String
        /// Whether it wants the secret in the form; else in the header.
        let takesSecretInForm: Bool
        let readAt: ContinuousClock.Instant
    }

    /// After this time its description is read again.
    private static let descriptionLife = Duration.seconds(3_600)
    private static let timeout = Duration.seconds(15)
    private static let answerLimit = 256 * 1024

    let settings: Settings
    private let redirect: String
    private let client: CurlClient
    private let description = Mutex<Description?>(nil)

    /// `redirect` is where the provider sends people back to; it has to be registered there.
    init(_ settings: Settings, redirect: String, client: CurlClient) {
        self.settings = settings
        self.redirect = redirect
        self.client = client
    }

    /// Where a person signs in.
    func address(of flow: OpenIDFlow) async throws(Failure) -> String {
        let parameters = [
            ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", redirect),
            ("scope", "openid profile"), ("state", flow.state), ("nonce", flow.nonce),
            ("code_challenge", flow.challenge), ("code_challenge_method", "S256"),
        ]
        let base = try await describe().authorization
        return base + (base.contains("?") ? "&" : "?") + Self.form(parameters)
    }

    /// Who signed in, for the code that the browser came back with.
    func subject(code: String, of flow: OpenIDFlow, now: Date) async throws(Failure) -> String {
        let description = try await describe()
        var fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect),
            ("code_verifier", flow.verifier),
        ]
        var headers = [
            ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"),
        ]
        if description.takesSecretInForm {
            fields += [("client_id", settings.clientID), ("client_secret", settings.clientSecret.reveal())]
        } else {
            // RFC 6749, section 2.3.1: both are encoded before they are joined.
            let pair = "\(settings.clientID.urlEncoded):\(settings.clientSecret.reveal().urlEncoded)"
            headers.append(("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())"))
        }
        let request = HTTPRequest(
            method: "POST", url: description.token, headers: headers, body: Array(Self.form(fields).utf8),
            timeout: Self.timeout, bodyLimit: Self.answerLimit)
        guard let answer = try? await client.perform(request) else { throw .unavailable }
        guard answer.status == 200, let token = (try? JSON(parsing: answer.body))?["id_token"]?.string else {
            throw answer.status >= 500 ? .unavailable : .refused
        }
        do throws(OpenIDToken.Refusal) {
            return try OpenIDToken(
                token, issuer: settings.issuer, clientID: settings.clientID, nonce: flow.nonce, now: now
            ).subject
        } catch {
            throw .token(error)
        }
    }

    private func describe() async throws(Failure) -> Description {
        if let known = description.withLock(\.self), known.readAt + Self.descriptionLife > .now {
            return known
        }
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let request = HTTPRequest(
            url: base + "/.well-known/openid-configuration", headers: [("Accept", "application/json")],
            timeout: Self.timeout, bodyLimit: Self.answerLimit)
        guard let answer = try? await client.perform(request), answer.status == 200,
            let document = try? JSON(parsing: answer.body), document["issuer"]?.string == settings.issuer,
            let authorization = document["authorization_endpoint"]?.string,
            let token = document["token_endpoint"]?.string,
            Self.isProtected(authorization), Self.isProtected(token)
        else { throw .unavailable }
        let methods = document["token_endpoint_auth_methods_supported"]?.array?.compactMap(\.string)
        let read = Description(
            authorization: authorization, token: token,
            takesSecretInForm: methods.map { !$0.contains("client_secret_basic") } ?? false, readAt: .now)
        description.withLock { $0 = read }
        return read
    }

    /// Whether nobody else can read what is sent there: by TLS, or on this machine (for tests).
    static func isProtected(_ url: String) -> Bool {
        url.hasPrefix("https://") || url.hasPrefix("http://127.0.0.1:") || url.hasPrefix("http://localhost:")
    }

    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\($0.0)=\($0.1.urlEncoded)" }.joined(separator: "&")
    }
}
