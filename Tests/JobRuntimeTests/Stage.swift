import Waiting
import AMQP
import Fixtures
import Foundation
import JobRuntime
import Logging
import Operations
import Postgres
import ServiceKit
import Store

/// A starter's relay and maintenance and one provider consumer, in one process, on a database and broker of the
/// test. Several stages on one broker don't meet: each has its queue names by way of its own virtual host.
struct Stage: Sendable {
    let database: TestDatabase
    let world: World
    let starts: StartService
    let changes: AuthorityChanges
    let relay: OutboxRelay
    let publisher: Publisher
    let virtualHost: VirtualHost
    let address: BrokerAddress
    let logger = TestDatabase.quiet

    static func with<R>(
        tenants: Int = 1, _ body: (Stage) async throws -> R
    ) async throws -> R {
        let vhost = try await VirtualHost.make()
        return try await TestDatabase.with(poolSize: 8) { database in
            let world = try await World.make(in: database.pool, tenants: tenants)
            let address = try BrokerAddress(url: vhost.url)
            let publisher = Publisher(
                address: address, topology: JobTopology.starter, name: "test-starter",
                logger: TestDatabase.quiet)
            let relay = OutboxRelay(
                store: OutboxStore(pool: database.pool, leaseSeconds: 5), publisher: publisher,
                routes: OutboxRelay.allRoutes, logger: TestDatabase.quiet)
            let stage = Stage(
                database: database, world: world,
                starts: StartService(
                    pool: database.pool, families: [.provider], outboxLeaseSeconds: 5, makeID: { UUID() }),
                changes: AuthorityChanges(pool: database.pool, makeID: { UUID() }), relay: relay,
                publisher: publisher, virtualHost: vhost, address: address)
            let tasks = [
                Task { await publisher.run() }, Task { await relay.run() },
                Task {
                    await Maintenance(
                        repair: RunRepair(pool: database.pool, outboxLeaseSeconds: 5), reminderSeconds: 300,
                        publish: relay.publish, figures: RepairFigures(Metrics()), logger: TestDatabase.quiet
                    ).run()
                },
            ]
            defer { for task in tasks { task.cancel() } }
            let result = try await body(stage)
            for task in tasks.dropFirst() {
                task.cancel()
                await task.value
            }
            await publisher.close()
            await vhost.remove()
            return result
        }
    }

    /// Starts an operation and hands its job to the relay.
    func start(
        _ operation: OperationType = .connectionCheck, by user: UserID? = nil,
        on connection: ConnectionID? = nil,
        wait: Int? = nil
    ) async throws -> StartService.Answer {
        let answer = try await starts.start(
            StartRequest(
                operation: operation.rawValue, connectionID: connection ?? world.connection,
                initiatorID: user ?? world.operator, origin: .person, waitLimitSeconds: wait))
        if case .accepted(_, let message) = answer { relay.publish([message]) }
        return answer
    }

    /// Runs a consumer while `body` runs; `handler` serves both provider operations.
    func consuming<R>(
        worker: UUID = UUID(), lease: Double = 3, _ handler: @escaping Handler,
        _ body: (JobConsumer) async throws -> R
    ) async throws -> R {
        let workers = Workers(pool: database.pool, leaseSeconds: lease)
        let keeper = WorkerLease(
            workers: workers, id: worker, service: "test", leaseSeconds: lease, logger: logger)
        try await keeper.register()
        let keeping = Task { try await keeper.run() }
        let clock = DatabaseClock()
        let runs = RunService(
            pool: database.pool, worker: worker, family: .provider, clock: clock, outboxLeaseSeconds: 5,
            random: { 0 })
        let consumer = JobConsumer(
            consumer: Consumer(
                address: address, topology: JobTopology.consumer(of: .provider),
                queue: JobTopology.queue(of: .provider), prefetch: 100, name: "test-consumer", logger: logger),
            executor: JobExecutor(
                runs: runs,
                chunks: ChunkService(
                    pool: database.pool, worker: worker, family: .provider, clock: clock,
                    outboxLeaseSeconds: 5, random: { 0 }),
                handlers: Handlers(
                    family: .provider, [.connectionCheck: handler, .complianceSnapshot: handler]),
                publish: relay.publish, metrics: JobMetrics(Metrics()), logger: logger),
            logger: logger)
        let running = Task { await consumer.run() }
        do {
            let result = try await body(consumer)
            await consumer.stop()
            await running.value
            keeping.cancel()
            await keeper.end()
            return result
        } catch {
            await consumer.stop()
            await running.value
            keeping.cancel()
            throw error
        }
    }

    /// Waits until the run is completed and returns its row. Fails after 20 s.
    func ended(_ run: RunID) async throws -> (outcome: String, reason: String?, attempt: Int, started: Bool) {
        try await eventually("run \(run) ends") {
            let row = try await database.pool.query(
                "SELECT outcome, reason_code, attempt, started_at IS NOT NULL FROM runs WHERE id = $1::uuid",
                [.uuid(run.uuid)])[0]
            guard let outcome = try row.textOrNil(0) else { return nil }
            return (outcome, try row.textOrNil(1), try row.int(2), try row.bool(3))
        }
    }

    /// The number that a statement's first row and column hold.
    func count(_ statement: PostgresStatement) async throws -> Int {
        try await database.pool.query(statement)[0].int(0)
    }
}
