package import AMQP
package import FoundationEssentials
internal import Logging
package import Operations
package import Postgres
package import ServiceKit
internal import ServiceLifecycle
package import Store

/// Everything that the consumer of one family is made of: the same for all families but for the handlers.
package struct FamilyConsumer: Service {
    /// What handlers are built from.
    package struct Parts: Sendable {
        package let pool: PostgresPool
        package let permits: CallPermits
        package let ledger: Ledger
    }

    /// What is left of the time in which a process has to stop, after ``JobConsumer/stopLimit``.
    private static let drainLimit = Duration.seconds(2)

    private let publisher: Publisher
    private let relay: OutboxRelay
    private let lease: WorkerLease
    private let consumer: JobConsumer

    /// Composes the consumer's service from the environment: `DATABASE_URL`, `AMQP_URL`, `PREFETCH`,
    /// `WORKER_LEASE_SECONDS`, `OUTBOX_LEASE_SECONDS`. `handlers` reads what it needs from the configuration.
    /// `permits` is there for the negative control of the revocation test alone.
    package static func compose(
        _ family: OperationFamily, _ context: ServiceContext,
        permits: (PostgresPool, UUID, DatabaseClock) -> CallPermits = FamilyConsumer.checkedPermits,
        handlers: (Parts) throws -> [OperationType: Handler]
    ) throws -> ServiceComposition {
        let settings = context.configuration
        let databaseURL = settings.databaseURL()
        let brokerURL = settings.brokerURL()
        let prefetch = settings.integer("PREFETCH", default: 200, in: 1...2_000)
        let leaseTime = settings.seconds("WORKER_LEASE_SECONDS", default: 15, in: 1...300).seconds
        let outboxLease = settings.seconds("OUTBOX_LEASE_SECONDS", default: 10, in: 1...300).seconds

        var database = PostgresConfiguration(url: databaseURL, applicationName: context.name)
        database.keepsPlans = true
        let pool = PostgresPool(database, logger: context.logger)
        let worker = UUID()
        let clock = DatabaseClock()
        let parts = Parts(
            pool: pool,
            permits: permits(pool, worker, clock),
            ledger: Ledger(pool: pool))
        let handlers = Handlers(family: family, try handlers(parts))
        try settings.check()

        let address = try BrokerAddress(url: brokerURL)
        let topology = JobTopology.consumer(of: family)
        let publisher = Publisher(
            address: address, topology: topology, name: context.name, logger: context.logger)
        let relay = OutboxRelay(
            store: OutboxStore(pool: pool, leaseSeconds: outboxLease), publisher: publisher,
            routes: [OutboxMessage.Route.job(family).name, OutboxMessage.Route.terminalEvent.name],
            logger: context.logger)
        let broker = Consumer(
            address: address, topology: topology, queue: JobTopology.queue(of: family),
            prefetch: UInt16(prefetch), bodyLimit: JobMessage.byteLimit, name: context.name,
            logger: context.logger)
        let consumer = JobConsumer(
            consumer: broker,
            executor: JobExecutor(
                runs: RunService(
                    pool: pool, worker: worker, family: family, clock: clock,
                    outboxLeaseSeconds: outboxLease, random: { Double.random(in: 0..<1) }),
                chunks: ChunkService(
                    pool: pool, worker: worker, family: family, clock: clock,
                    outboxLeaseSeconds: outboxLease, random: { Double.random(in: 0..<1) }),
                handlers: handlers, publish: relay.publish, metrics: JobMetrics(context.metrics),
                logger: context.logger),
            logger: context.logger)
        let lease = WorkerLease(
            workers: Workers(pool: pool, leaseSeconds: leaseTime), id: worker, service: context.name,
            leaseSeconds: leaseTime, logger: context.logger)
        context.metrics.sampled("tenantatlas_runs_active", help: "Runs that execute in this process.") {
            Double(consumer.activeRuns)
        }
        return ServiceComposition(
            services: [
                FamilyConsumer(publisher: publisher, relay: relay, lease: lease, consumer: consumer)
            ],
            readiness: [
                ReadinessCheck("database") { _ = try await pool.query("SELECT 1") },
                ReadinessCheck("broker") { try broker.status.requireConnected() },
            ])
    }

    /// The permits that every service uses: opened by the gate's leave.
    package static func checkedPermits(
        _ pool: PostgresPool, _ worker: UUID, _ clock: DatabaseClock
    ) -> CallPermits {
        CallPermits(pool: pool, worker: worker, clock: clock, makeID: UUID.timeOrdered)
    }

    /// Enters the worker and consumes until the process is to stop; then drains, publishes what the last
    /// results left in the outbox, and gives the lease back.
    package func run() async throws {
        try await cancelWhenGracefulShutdown { try await lease.register() }
        try await withThrowingTaskGroup { group in
            group.addTask { await publisher.run() }
            let relaying = Task { await relay.run() }
            let renewing = Task { try await lease.run() }
            group.addTask {
                do { try await renewing.value } catch {
                    // Others have its runs: nothing of what is under way here can call or record anything any more.
                    await consumer.stop()
                    throw error
                }
            }
            group.addTask {
                await withGracefulShutdownHandler {
                    await consumer.run()
                } onGracefulShutdown: {
                    Task { await consumer.stop() }
                }
                renewing.cancel()
                await lease.end()
                await relay.drain(relaying, within: Self.drainLimit)
            }
            try await group.waitForAll()
        }
    }
}

extension LinkStatus {
    /// Throws unless messages can flow.
    package func requireConnected() throws {
        guard self == .connected else { throw AMQPError(.connectionLost, "the broker link is \(self)") }
    }
}
