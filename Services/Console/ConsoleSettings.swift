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
    /// Whether a proxy in front of the console tells who asks (the last entry of `X-Forwarded-For`).
    let trustsProxy: Bool

    /// Whether browsers reach it by TLS: then cookies never travel without.
    var isSecure: Bool { publicURL.hasPrefix("https:") }

    /// Reads everything, then throws everything that is wrong.
    init(_ configuration: Configuration) throws(ConfigurationError) {
        databaseURL = configuration.url(
            "DATABASE_URL", schemes: ["postgres", "postgresql"], example: "postgres://atlas@db/atlas")
        starterURL = Self.withoutSlash(
            configuration.url("STARTER_URL", schemes: ["http", "https"], example: "http://starter:8080"))
        publicURL = Self.withoutSlash(
            configuration.url(
                "CONSOLE_URL", schemes: ["http", "https"], example: "https://console.example.com"))
        session = Sessions.Lifetime(
            idle: configuration.integer("SESSION_IDLE_SECONDS", default: 3_600, in: 60...86_400),
            absolute: configuration.integer("SESSION_SECONDS", default: 43_200, in: 60...604_800))
        trustsProxy = configuration.bool("TRUST_FORWARDED_FOR", default: false)
        try configuration.check()
    }

    private static func withoutSlash(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
