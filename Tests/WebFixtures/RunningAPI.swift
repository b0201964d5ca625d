package import Fixtures
import FoundationEssentials
internal import Hummingbird
import Operations
package import Sealing
import ServiceKit
import ServiceLifecycle

@testable import Starter

/// The Starter's API behind a real server on a free port of this machine.
package enum RunningAPI {
    /// Serves it over the database while `body` runs with its address. Credentials are sealed to `key` there.
    package static func serve(
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
        let running = Task {
            defer { told.finish() }
            try await group.run()
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { return try await running.value }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body("http://127.0.0.1:\(port)"))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }
}
