import Postgres
import ServiceKit
import Store

/// What the console reads from its environment.
struct ConsoleSettings: Sendable {
    let databaseURL: String
    /// The Starter's API.
    let starterURL: String
    /// Where people reach the console, without a slash at the end: the only origin that forms are taken from.
    let publicURL: String
    let session: Sessions.Lifetime
    /// The organisation's identity provider; nil where people sign in with passwords only.
    let openID: OpenIDProvider.Settings?
    /// Whether people may sign in with a password.
    let allowsPasswords: Bool
    /// Whether a proxy in front of the console tells who asks (the last entry of `X-Forwarded-For`).
    let trustsProxy: Bool

    /// Whether browsers reach it by TLS: then cookies never travel without.
    var isSecure: Bool { publicURL.hasPrefix("https:") }

    /// Reads everything, then throws everything that is wrong.
    init(_ configuration: Configuration) throws(ConfigurationError) {
        databaseURL = configuration.url(
            "DATABASE_URL", schemes: ["postgres", "postgresql"], example: "postgres://atlas@db/atlas",
            problem: PostgresConfiguration.problem)
        starterURL = Self.withoutSlash(
            configuration.url("STARTER_URL", schemes: ["http", "https"], example: "http://starter:8080"))
        publicURL = Self.withoutSlash(
            configuration.url(
                "CONSOLE_URL", schemes: ["http", "https"], example: "https://console.example.com"))
        session = Sessions.Lifetime(
            idle: configuration.integer("SESSION_IDLE_SECONDS", default: 3_600, in: 60...86_400),
            absolute: configuration.integer("SESSION_SECONDS", default: 43_200, in: 60...604_800))
        trustsProxy = configuration.bool("TRUST_FORWARDED_FOR", default: false)
        allowsPasswords = configuration.bool("PASSWORD_SIGN_IN", default: true)
        let issuer = configuration.optionalURL(
            "OIDC_ISSUER", schemes: ["https", "http"], example: "https://login.example.com")
        // What belongs to an issuer is needed with it only.
        openID = issuer.map { issuer in
            OpenIDProvider.Settings(
                issuer: issuer, clientID: configuration.string("OIDC_CLIENT_ID", example: "tenantatlas"),
                clientSecret: configuration.secret("OIDC_CLIENT_SECRET"))
        }
        var problems: [String] = []
        do { try configuration.check() } catch { problems = error.problems }
        if let issuer, !OpenIDProvider.isProtected(issuer) {
            problems.append(
                "OIDC_ISSUER must be an https address: what people prove there travels through it")
        }
        if openID == nil, !allowsPasswords {
            problems.append("PASSWORD_SIGN_IN is off and OIDC_ISSUER is not set: nobody could sign in")
        }
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    private static func withoutSlash(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
