import Waiting
import AMQP
import Curl
import Fixtures
import FoundationEssentials
import JobRuntime
import Operations
import Postgres
import Sealing
import ServiceKit
import Store
import Synchronization
import Testing

@testable import Notifier

/// A database with people and tenants, a virtual host with the notifier's queues, and a publisher of events.
struct Scene: Sendable {
    let database: TestDatabase
    let world: World
    let address: BrokerAddress
    let brokerURL: String
    let publisher: Publisher
    let key = SealingPrivateKey()

    var pool: PostgresPool { database.pool }

    static func with<R>(tenants: Int = 1, _ body: (Scene) async throws -> R) async throws -> R {
        let vhost = try await VirtualHost.make()
        do {
            let result = try await TestDatabase.with(poolSize: 8) { database in
                let address = try BrokerAddress(url: vhost.url)
                let publisher = Publisher(
                    address: address, topology: JobTopology.notifier, name: "test", logger: TestDatabase.quiet
                )
                let publishing = Task { await publisher.run() }
                defer { publishing.cancel() }
                return try await body(
                    Scene(
                        database: database, world: try await World.make(in: database.pool, tenants: tenants),
                        address: address, brokerURL: vhost.url, publisher: publisher))
            }
            await vhost.remove()
            return result
        } catch {
            await vhost.remove()
            throw error
        }
    }

    // MARK: runs and events

    /// Enters a run in the given state; nil as the initiator is a run of the system.
    func run(
        state: RunState = .completed, outcome: RunOutcome = .succeeded, reason: RunReason? = nil,
        initiator: UserID?, tenant: Int = 0, counts: String = "{}", schedule: ScheduleID? = nil
    ) async throws -> RunID {
        let id = RunID(UUID())
        let isCompleted = state == .completed
        _ = try await pool.query(
            """
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, outcome,
                              reason_code, attempt, worker_id, initiator_id, counts, context, queued_at,
                              expires_at, started_at, completed_at, schedule_id)
            SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, 'provider.connection.check', $5, $6, $7, 1,
                   $8::uuid, $9::uuid, $10::jsonb, '{}', now(), now() + interval '1 day', now(),
                   CASE WHEN $5 = 'completed' THEN clock_timestamp() END, $11::uuid
            """,
            [
                .uuid(id.uuid), .uuid(world.workspace.uuid), .uuid(world.tenants[tenant].uuid),
                .uuid(world.connections[tenant].uuid), .text(state.rawValue),
                isCompleted ? .text(outcome.rawValue) : .null,
                reason.map { .text($0.code) } ?? .null,
                state == .running ? .uuid(UUID()) : .null,
                initiator.map { .uuid($0.uuid) } ?? .null, .json(counts),
                schedule.map { .uuid($0.uuid) } ?? .null,
            ])
        return id
    }

    /// The event that the row of an ended run gives.
    func event(of run: RunID) async throws -> TerminalEvent {
        try #require(
            try await Notifications(pool: pool).endedRuns([run])[run]
        ).event
    }

    /// An event as somebody would write it who does not know the run's row.
    func invented(
        _ run: RunID, initiator: UserID, outcome: RunOutcome = .succeeded
    ) -> TerminalEvent {
        let snapshot = RunSnapshot(
            execution: QueuedExecution(
                runID: run, operation: OperationType.connectionCheck.rawValue, workspaceID: world.workspace,
                tenantID: world.tenant, connectionID: world.connection, initiatorID: initiator,
                expiresAt: Date(), context: nil),
            state: .completed, attempt: 1, queuedAt: Date())
        return TerminalEvent(
            run: snapshot, outcome: outcome, reason: nil, counts: SummaryCounts(), completedAt: Date())
    }

    /// Publishes to everybody who listens for ended runs; all are confirmed.
    func publish(_ bodies: [[UInt8]], id: String = "test") async throws {
        let outcomes = await publisher.publish(
            bodies.map {
                OutgoingMessage(
                    exchange: JobTopology.events, routingKey: "", id: id, type: TerminalEvent.type,
                    contentType: TerminalEvent.contentType, body: $0)
            }, timeout: .seconds(30))
        for outcome in outcomes { try #require(outcome.isConfirmed, "\(outcome)") }
    }

    func publish(_ events: TerminalEvent...) async throws { try await publish(events.map(\.body)) }

    // MARK: what came of it

    struct Row: Sendable, Hashable {
        let run: RunID
        let channel: String
        let user: UserID
        let title: String
        let body: String
        let isDue: Bool
        let isDelivered: Bool
        let isGivenUp: Bool
    }

    func rows(_ channel: NotificationPolicy.Channel? = nil) async throws -> [Row] {
        try await pool.query(
            """
            SELECT run_id, channel, user_id, title, body, next_delivery_at IS NOT NULL AS due,
                   delivered_at IS NOT NULL AS delivered, given_up_at IS NOT NULL AS given_up
            FROM notifications WHERE $1::text IS NULL OR channel = $1 ORDER BY run_id, channel
            """, [channel.map { .text($0.rawValue) } ?? .null]
        ).map { row in
            Row(
                run: RunID(try row.uuid("run_id")), channel: try row.text("channel"),
                user: UserID(try row.uuid("user_id")), title: try row.text("title"),
                body: try row.text("body"), isDue: try row.bool("due"),
                isDelivered: try row.bool("delivered"), isGivenUp: try row.bool("given_up"))
        }
    }

    /// The tries that were written down, in order: `<attempt> <result> <status>`.
    func deliveries(_ channel: NotificationPolicy.Channel = .webhook) async throws -> [String] {
        try await pool.query(
            """
            SELECT d.attempt || ' ' || d.result || coalesce(' ' || d.status, '')
            FROM delivery_tries d JOIN notifications n ON n.id = d.notification_id
            WHERE n.channel = $1 ORDER BY d.at, d.attempt
            """, [.text(channel.rawValue)]
        ).map { try $0.text(0) }
    }

    /// Waits until so many messages lie in the dead-letter queue, and returns their bodies.
    func deadLetters(_ count: Int) async throws -> [[UInt8]] {
        try await consume("\(JobTopology.notifierQueue).dead") { $0.count >= count }.map(\.body)
    }

    /// What is left in the notifier's queue, in order. Call it when no notifier runs.
    func remaining() async throws -> [[UInt8]] {
        let mark = UUID().uuidString
        try await publish([Array("mark".utf8)], id: mark)
        return try await consume(JobTopology.notifierQueue) { $0.contains { $0.properties.id == mark } }
            .filter { $0.properties.id != mark }.map(\.body)
    }

    /// Takes messages until `isEnough`, and settles them.
    private func consume(
        _ queue: String, until isEnough: @escaping @Sendable ([Delivery]) -> Bool
    ) async throws -> [Delivery] {
        let consumer = bareConsumer(queue, bodyLimit: OutgoingMessage.bodyLimit)
        let taken = Mutex<[Delivery]>([])
        let running = Task { await consumer.run() }
        let reading = Task {
            for await burst in consumer.bursts {
                taken.withLock { $0 += burst }
                consumer.ack(burst.map(\.tag))
            }
        }
        defer { running.cancel() }
        _ = try await eventually("enough messages in \(queue)") {
            isEnough(taken.withLock { $0 }) ? true : nil
        }
        await consumer.cancel()
        await reading.value
        await consumer.close()
        return taken.withLock { $0 }
    }

    func bareConsumer(
        _ queue: String = JobTopology.notifierQueue, bodyLimit: Int = TerminalEvent.byteLimit
    ) -> Consumer {
        Consumer(
            address: address, topology: JobTopology.notifier, queue: queue, prefetch: 500,
            bodyLimit: bodyLimit, name: "test", logger: TestDatabase.quiet)
    }
}
