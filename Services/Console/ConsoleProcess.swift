import Curl
import Hummingbird
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import Store

/// What the console is made of: pages over the database, and a client of the Starter's API for everything that changes
/// something. It has no connection to the broker and no way to a provider.
struct ConsoleProcess: Service {
    /// Pages and live pages share them.
    private static let poolSize = 8

    let pool: PostgresPool
    let client: CurlClient

    static func compose(_ settings: ConsoleSettings, _ context: ServiceContext) throws -> ServiceComposition {
        var database = PostgresConfiguration(url: settings.databaseURL, applicationName: context.name)
        database.poolSize = poolSize
        let pool = PostgresPool(database, logger: context.logger)
        let client = CurlClient(userAgent: "TenantAtlas-Console/\(BuildInfo.version)")
        let site = try Site(
            pool: pool, starter: StarterClient(base: settings.starterURL, client: client), client: client,
            settings: settings, logger: context.logger)
        return ServiceComposition(
            services: [ConsoleProcess(pool: pool, client: client)],
            readiness: [ReadinessCheck("database") { _ = try await pool.query("SELECT 1") }],
            addRoutes: { $0.add(middleware: ConsoleMiddleware(site: site)) })
    }

    func run() async throws {
        try? await gracefulShutdown()
        await client.close()
        await pool.close()
    }
}
