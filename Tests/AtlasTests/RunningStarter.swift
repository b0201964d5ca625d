import Fixtures
import ServiceKit
import FoundationEssentials
import Hummingbird
import JobRuntime
import Operations
import Sealing
import ServiceLifecycle
import Testing

@testable import Atlas
@testable import Starter

/// The Starter's API behind a real server, over a database with the demo's world, and the program pointed at it.
struct RunningStarter: Sendable {
    let database: TestDatabase
    let url: String
    /// What credentials are sealed to there.
    let key: SealingPrivateKey
    /// The tokens of the demo's people, by name.
    let tokens: [String: String]

    /// The program as that person uses it.
    func atlas(as name: String) -> AtlasProcess {
        AtlasProcess(environment: ["STARTER_URL": url, "ATLAS_TOKEN": tokens[name] ?? name])
    }

    static func with(_ body: (RunningStarter) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let key = SealingPrivateKey()
            let demo = DemoData(
                pool: database.pool, key: key.publicKey,
                tenants: DemoWorld.tenants(large: false))
            let tokens = try await demo.load()
            let named = zip(DemoWorld.users, tokens).map { ($0.name, $1.reveal()) }
            try await serve(database, key.publicKey) { url in
                try await body(
                    RunningStarter(
                        database: database, url: url, key: key,
                        tokens: Dictionary(uniqueKeysWithValues: named)))
            }
        }
    }

    private static func serve(
        _ database: TestDatabase, _ key: SealingPublicKey, _ body: (String) async throws -> Void
    ) async throws {
        let api = StarterAPI(
            pool: database.pool, families: Set(OperationFamily.allCases), outboxLeaseSeconds: 10,
            rateLimit: nil, credentialKey: key,
            webhooks: WebhookSealing(
                publicKey: SealingPrivateKey().publicKey, allowsHTTP: false, makeID: UUID.timeOrdered),
            logger: TestDatabase.quiet, makeID: UUID.timeOrdered, publish: { _ in })
        let router = Router(context: ServiceRequestContext.self)
        router.add(middleware: StarterMiddleware(api: api))
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { told.yield($0.localAddress?.port ?? 0) }, logger: TestDatabase.quiet)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [application], logger: TestDatabase.quiet))
        let running = Task { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        do {
            try await body("http://127.0.0.1:\(port)")
        } catch {
            await group.triggerGracefulShutdown()
            try await running.value
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }
}
