import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

/// The store's parts on a database of the test's own.
struct Stand: Sendable {
    let database: TestDatabase
    let world: World

    var pool: PostgresPool { database.pool }
    var changes: AuthorityChanges { AuthorityChanges(pool: pool, makeID: { UUID() }) }
    var starts: StartService {
        StartService(
            pool: pool, families: Set(OperationFamily.allCases), outboxLeaseSeconds: 5, makeID: { UUID() })
    }
    var repair: RunRepair { RunRepair(pool: pool, outboxLeaseSeconds: 5) }

    static func with<R>(
        tenants: Int = 1, poolSize: Int = 4, isolation: isolated (any Actor)? = #isolation,
        _ body: (Stand) async throws -> R
    ) async throws -> R {
        try await TestDatabase.with(poolSize: poolSize) { database in
            try await body(
                Stand(database: database, world: try await World.make(in: database.pool, tenants: tenants)))
        }
    }

    // MARK: acting

    /// Starts an operation; fails the test when it is not accepted.
    func start(
        _ operation: OperationType = .connectionCheck, by user: UserID? = nil, tenant: Int = 0
    ) async throws -> RunSnapshot {
        let answer = try await starts.start(request(operation, by: user, tenant: tenant))
        guard case .accepted(let run, _) = answer else { throw Unexpected(answer) }
        return run
    }

    func request(
        _ operation: OperationType = .connectionCheck, by user: UserID? = nil, tenant: Int = 0,
        key: String? = nil
    ) -> StartRequest {
        StartRequest(
            operation: operation.rawValue, connectionID: world.connections[tenant],
            parameters: sampleParameters(operation), initiatorID: user ?? world.operator, origin: .person,
            idempotencyKey: key)
    }

    /// Enters a worker whose lease lasts `lease` seconds; a negative one has run out already.
    func worker(lease: Double = 60) async throws -> UUID {
        let id = UUID()
        try await Workers(pool: pool, leaseSeconds: lease).register(id, service: "test")
        return id
    }

    func runs(of worker: UUID, family: OperationFamily = .provider) -> RunService {
        RunService(
            pool: pool, worker: worker, family: family, clock: DatabaseClock(), outboxLeaseSeconds: 5,
            random: { 0 })
    }

    func permits(of worker: UUID) -> CallPermits {
        CallPermits(pool: pool, worker: worker, clock: DatabaseClock(), makeID: { UUID() })
    }

    /// Begins a run's first attempt; fails the test when it is not executed.
    func begin(
        _ run: RunSnapshot, by worker: UUID, family: OperationFamily = .provider
    ) async throws -> (run: RunSnapshot, permit: ExecutionPermit) {
        let beginning = try await runs(of: worker, family: family).begin([run.job])[0].get()
        guard case .execute(let begun, let permit) = beginning else { throw Unexpected(beginning) }
        return (begun, permit)
    }

    /// A run that a new worker executes.
    func running(
        _ operation: OperationType = .connectionCheck, by user: UserID? = nil, tenant: Int = 0,
        lease: Double = 60
    ) async throws -> Executing {
        let run = try await start(operation, by: user, tenant: tenant)
        let worker = try await worker(lease: lease)
        let family = OperationCatalogue.definition(operation).family
        let (begun, permit) = try await begin(run, by: worker, family: family)
        return Executing(worker: worker, run: begun, permit: permit, permits: permits(of: worker))
    }

    func apply(_ change: AuthorityChange) async throws -> BarrierAnswer {
        try await changes.apply(change, in: world.workspace, by: .user(world.owner))
    }

    /// Opens the write gate and says that it was checked, so that what changes the tenant may run.
    func permitChanges() async throws {
        _ = try await pool.query(
            """
            UPDATE tenants SET write_gate_open = true, write_gate_healthy = true,
                               write_gate_checked_at = clock_timestamp()
            """)
    }

    /// Lets a worker's lease have run out, as if it had not been renewed.
    func lose(_ worker: UUID) async throws {
        _ = try await pool.query(
            "UPDATE workers SET lease_until = clock_timestamp() - interval '1 second' WHERE id = $1::uuid",
            [.uuid(worker)])
    }

    // MARK: looking

    /// A run's row.
    func row(_ run: RunID) async throws -> RunRow {
        let row = try await pool.query(
            """
            SELECT state, outcome, reason_code, attempt, failed_attempts, worker_id,
                   started_at IS NOT NULL AS started
            FROM runs WHERE id = $1::uuid
            """, [.uuid(run.uuid)])[0]
        return RunRow(
            state: try row.text("state"), outcome: try row.textOrNil("outcome"),
            reason: try row.textOrNil("reason_code"), attempt: try row.int("attempt"),
            failed: try row.int("failed_attempts"), worker: try row.uuidOrNil("worker_id"),
            started: try row.bool("started"))
    }

    /// The actions that were audited for a run, in order.
    func actions(_ run: RunID) async throws -> [String] {
        try await pool.query(
            "SELECT action FROM audit WHERE run_id = $1::uuid ORDER BY id", [.uuid(run.uuid)]
        ).map { try $0.text(0) }
    }

    /// The number in the first column of a statement's first row.
    func count(_ statement: Postgres.Statement, _ parameters: [Parameter] = []) async throws -> Int {
        try await pool.query(statement, parameters)[0].int(0)
    }

    /// How many sessions of this database wait for a lock of that type.
    func waiting(forLock type: String) async throws -> Int {
        try await count(
            """
            SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE a.datname = current_database() AND NOT l.granted AND l.locktype = $1
            """, [.text(type)])
    }
}

/// A run in a worker's hands.
struct Executing: Sendable {
    let worker: UUID
    let run: RunSnapshot
    let permit: ExecutionPermit
    let permits: CallPermits

    var id: RunID { run.execution.runID }

    /// Opens a call permit and returns its id.
    func open(limit: Duration = .seconds(20)) async throws -> CallID {
        try await permits.open(under: permit, call: "GET /x", timeLimit: limit).id
    }

    /// Why no call permit is opened now; nil when one is.
    func refusal() async throws -> CallRefusal? {
        do {
            try await permits.close(try await open(), status: 200)
            return nil
        } catch let refusal as CallRefusal {
            return refusal
        }
    }
}

/// What the tests look at in a run's row.
struct RunRow: Equatable {
    var state: String
    var outcome: String?
    var reason: String?
    var attempt = 1
    var failed = 0
    var worker: UUID?
    var started = false
}

/// An answer that the test has no use for.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ answer: some Any) { description = "unexpected: \(answer)" }
}

extension CallRefusal {
    /// The gate's reason; nil when it was not the gate.
    var reason: DenialReason? {
        if case .denied(let decision) = self { decision.denial } else { nil }
    }
}

extension RunService.Beginning {
    /// The answer in a word, with the reason of a refusal.
    var word: String {
        switch self {
        case .execute: "execute"
        case .refused(_, let reason, ended: true, _): "blocked: \(reason.rawValue)"
        case .refused(_, let reason, ended: false, _): "waits: \(reason.rawValue)"
        case .cancelled: "cancelled"
        case .duplicate: "duplicate"
        case .unknown: "unknown"
        case .misrouted: "misrouted"
        }
    }
}
