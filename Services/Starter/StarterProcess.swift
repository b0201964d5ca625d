import AMQP
import FoundationEssentials
import Hummingbird
import JobRuntime
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import Store
import Synchronization

/// What works behind the API: the relay to the broker, and the chores that keep the system right.
struct StarterProcess: Service {
    /// Starts, logins, reads, the relay and the chores each need a connection at the same time; people's
    /// requests share the rest.
    private static let poolSize = 8
    /// A token may send as much at once as in this many seconds.
    private static let burstSeconds = 2
    /// Well below the time in which a process has to stop.
    private static let drainLimit = Duration.seconds(4)

    let pool: PostgresPool
    let publisher: Publisher
    let requests: Intake
    let relay: OutboxRelay
    let maintenance: Maintenance
    let queues: QueueWatch
    let scheduler: Scheduler
    let audit: AuditKeeping
    let deadLetters: DeadLetterWatch
    let logger: Logger

    static func compose(_ settings: StarterSettings, _ context: ServiceContext) throws -> ServiceComposition {
        let logger = context.logger
        var database = PostgresConfiguration(url: settings.databaseURL, applicationName: context.name)
        database.poolSize = poolSize
        let pool = PostgresPool(database, logger: logger)
        let publisher = Publisher(
            address: try BrokerAddress(url: settings.brokerURL), topology: JobTopology.starter,
            name: context.name, logger: logger)
        let relay = OutboxRelay(
            store: OutboxStore(pool: pool, leaseSeconds: settings.outboxLeaseSeconds), publisher: publisher,
            routes: OutboxRelay.allRoutes, logger: logger)
        let api = StarterAPI(
            pool: pool, families: settings.families, outboxLeaseSeconds: settings.outboxLeaseSeconds,
            rateLimit: RateLimit(
                perSecond: settings.requestsPerSecond, burst: settings.requestsPerSecond * burstSeconds),
            credentialKey: settings.credentialKey,
            figures: APIFigures(context.metrics),
            webhooks: settings.notifierKey.map { key in
                WebhookSealing(
                    publicKey: key, allowsHTTP: settings.allowsPrivateWebhooks, makeID: UUID.timeOrdered)
            },
            logger: logger, makeID: UUID.timeOrdered,
            publish: relay.publish)
        let process = StarterProcess(
            pool: pool, publisher: publisher, requests: try requests(settings, api, publisher, context),
            relay: relay,
            maintenance: Maintenance(
                repair: RunRepair(pool: pool, outboxLeaseSeconds: settings.outboxLeaseSeconds),
                reminderSeconds: settings.reminderSeconds, publish: relay.publish,
                figures: RepairFigures(context.metrics), logger: logger),
            queues: QueueWatch(pool: pool, metrics: context.metrics, logger: logger),
            scheduler: Scheduler(
                firings: ScheduleFirings(
                    pool: pool, families: settings.families, outboxLeaseSeconds: settings.outboxLeaseSeconds,
                    makeID: UUID.timeOrdered),
                publish: relay.publish, logger: logger),
            audit: AuditKeeping(
                partitions: AuditPartitions(pool: pool), seals: AuditSeals(pool: pool), logger: logger),
            deadLetters: DeadLetterWatch(
                mirror: DeadLetterMirror(pool: pool), records: DeadLetterRecords(pool: pool),
                box: DeadLetterBox(
                    address: try BrokerAddress(url: settings.brokerURL),
                    name: "\(context.name)-dead-letters"),
                publisher: publisher, logger: logger),
            logger: logger)
        return ServiceComposition(
            services: [process],
            readiness: [
                databaseCheck(pool, database, logger),
                ReadinessCheck("broker") { try publisher.status.requireConnected() },
            ],
            addRoutes: { $0.add(middleware: StarterMiddleware(api: api)) })
    }

    /// The door for upstream systems at the broker.
    private static func requests(
        _ settings: StarterSettings, _ api: StarterAPI, _ publisher: Publisher, _ context: ServiceContext
    ) throws -> Intake {
        let door = RequestDoor(
            principals: api.principals, rateLimit: api.rateLimit, start: api.start, publisher: publisher,
            figures: context.metrics.counter(
                "tenantatlas_start_requests_total",
                help: "Start requests at the broker, by what came of them.",
                labels: ["result"]),
            logger: context.logger, makeID: UUID.timeOrdered)
        let consumer = Consumer(
            address: try BrokerAddress(url: settings.brokerURL), topology: JobTopology.starter,
            queue: JobTopology.requestQueue, prefetch: RequestDoor.prefetch, bodyLimit: RequestLimits.body,
            name: "\(context.name)-requests", logger: context.logger)
        return Intake(consumer: consumer, logger: context.logger, decide: door.decide)
    }

    /// The database has to answer, and to have every table that this version works with.
    private static func databaseCheck(
        _ pool: PostgresPool, _ database: PostgresConfiguration, _ logger: Logger
    ) -> ReadinessCheck {
        // Migrations are never taken back: once there, only the database's answer has to be looked at.
        let isMigrated = Atomic(false)
        return ReadinessCheck("database") {
            _ = try await pool.query("SELECT 1")
            guard !isMigrated.load(ordering: .relaxed) else { return }
            let pending = try await Migrations.pending(Schema.migrations, in: database, logger: logger)
            guard pending.isEmpty else { throw PendingMigrations(names: pending.map(\.name)) }
            isMigrated.store(true, ordering: .relaxed)
        }
    }

    /// Works until the process is to stop; then publishes what was handed over, and closes.
    func run() async throws {
        await withTaskGroup { group in
            group.addTask { await publisher.run() }
            let relaying = Task { await relay.run() }
            let answering = Task { await requests.run() }
            group.addTask {
                await cancelWhenGracefulShutdown { await chores() }
                await requests.stop()
                await answering.value
                await relay.drain(relaying, within: Self.drainLimit)
            }
            await group.waitForAll()
        }
        await pool.close()
    }

    private func chores() async {
        await withTaskGroup { group in
            group.addTask { await maintenance.run() }
            group.addTask { await queues.run() }
            group.addTask { await scheduler.run() }
            group.addTask { await audit.run() }
            group.addTask { await deadLetters.run() }
            await group.waitForAll()
        }
    }
}

/// The database is of an earlier version.
private struct PendingMigrations: Error, CustomStringConvertible {
    let names: [String]
    var description: String {
        "the database lacks the migrations \(names.joined(separator: ", ")); run «atlas migrate»"
    }
}
