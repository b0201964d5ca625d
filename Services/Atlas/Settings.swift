import AMQP
import Curl
import FoundationEssentials
import JobRuntime
import Logging
import Operations
import Postgres
import Sealing
import ServiceKit
import Store

/// What atlas reads from its environment. Each command asks for what it needs, and complains about all of
/// it at once.
struct Settings {
    private let configuration: Configuration

    init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        configuration = Configuration(environment: environment)
    }

    /// The database's address. It may hold a password.
    func databaseURL() throws(ConfigurationError) -> String {
        let url = configuration.url(
            "DATABASE_URL", schemes: ["postgres", "postgresql"], example: "postgres://atlas@127.0.0.1/atlas",
            problem: PostgresConfiguration.problem)
        try configuration.check()
        return url
    }

    /// The broker's address.
    func broker() throws -> BrokerAddress {
        let url = configuration.url(
            "AMQP_URL", schemes: ["amqp", "amqps"], example: "amqp://atlas@127.0.0.1/",
            problem: BrokerAddress.problem)
        try configuration.check()
        return try BrokerAddress(url: url)
    }

    /// The Starter's address, and the caller's token.
    func starter() throws(ConfigurationError) -> (url: String, token: ServiceKit.Secret) {
        let url = configuration.url(
            "STARTER_URL", schemes: ["http", "https"], example: "http://127.0.0.1:8080")
        let token = configuration.secret("ATLAS_TOKEN")
        try configuration.check()
        return (url, token)
    }

    /// The key that credentials are sealed to.
    func credentialKey() throws -> SealingPublicKey {
        let text = configuration.secret("CREDENTIAL_PUBLIC_KEY")
        try configuration.check()
        return try SealingPublicKey(text: text.reveal())
    }

    /// The keys that credentials are opened with: one a line. Only where consumers run.
    func credentialPrivateKeys() throws -> [SealingPrivateKey] {
        let text = configuration.secret("CREDENTIAL_PRIVATE_KEY")
        try configuration.check()
        return try text.reveal().split(whereSeparator: \.isNewline).map { line in
            try SealingPrivateKey(text: String(line))
        }
    }

    /// The sandbox's address and control token; what was given as an option comes first. Nil when no address
    /// is known.
    func sandbox(url: String?, token: String?) throws -> (url: String, token: ServiceKit.Secret)? {
        let environmentURL = configuration.optionalURL(
            "GRAPH_SANDBOX_URL", schemes: ["http", "https"], example: "http://127.0.0.1:8089")
        let environmentToken = configuration.optionalSecret("SANDBOX_CONTROL_TOKEN")
        try configuration.check()
        guard let url = url ?? environmentURL else { return nil }
        guard let token = token.map(ServiceKit.Secret.init) ?? environmentToken else {
            throw Failure(
                code: .usage, what: "The sandbox's control token is not known.",
                why: "The tenants are registered at \(url), which needs it.",
                next: "Set SANDBOX_CONTROL_TOKEN or SANDBOX_CONTROL_TOKEN_FILE.")
        }
        return (url, token)
    }

    /// Does something with the database, and closes it.
    func withDatabase<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        let pool = PostgresPool(try database(), logger: Self.quiet)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }

    /// The database's address and limits.
    func database() throws(ConfigurationError) -> PostgresConfiguration {
        PostgresConfiguration(url: try databaseURL(), applicationName: "atlas")
    }

    /// Does something through the API.
    func withAPI<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (APIClient) async throws -> R
    ) async throws -> R {
        let (url, token) = try starter()
        let client = CurlClient(userAgent: "atlas/\(BuildInfo.version)")
        return try await body(APIClient(url: url, token: token, client: client))
    }

    /// What the libraries would log, a command tells itself.
    static var quiet: Logger {
        var logger = Logger(label: "atlas")
        logger.logLevel = .critical
        return logger
    }
}
