internal import FoundationEssentials
internal import JSON
internal import Operations
internal import Postgres

/// How the gate's facts are read: first the locks, then everything in one statement.
///
/// The locks must be a statement of their own: a statement that waits for a lock goes on with the snapshot it
/// began with, and would read the membership that a revoke has just taken away.
enum AuthorityReading {
    /// Shared locks on everything, on the workspaces and tenants of the runs in `$1`, and on the worker `$2`.
    /// Whoever takes authority away, or gives a worker up, takes the same lock exclusively.
    static let lock: Statement = """
        SELECT count(pg_advisory_xact_lock_shared(key)) FROM (
            SELECT DISTINCT authority_lock(scope) AS key
            FROM runs r, unnest(ARRAY[r.workspace_id, r.tenant_id, $2::uuid]) AS scope
            WHERE r.id = ANY ($1::uuid[])
            UNION ALL SELECT 0
            ORDER BY key
        ) AS keys
        """

    /// The runs in `$1` with all facts of the present, one row each. `$2` is the worker.
    static let facts: Statement = """
        SELECT r.id, r.operation, r.workspace_id, r.tenant_id, r.connection_id, r.initiator_id,
               r.expires_at, r.context::text AS context, r.state, r.attempt, r.queued_at, r.reason_code,
               r.cancel_requested, r.traceparent, r.failed_attempts, nullif(r.counts, '{}')::text AS counts,
               -- For the attempt that begins; each of its calls does without.
               CASE WHEN r.state = 'queued' THEN r.parameters::text END AS parameters,
               coalesce(r.next_attempt_at > clock_timestamp(), false) AS is_early,
               r.worker_id IS NOT DISTINCT FROM $2::uuid AS is_mine,
               EXISTS (SELECT FROM workers w WHERE w.id = $2::uuid AND w.ended_at IS NULL
                       AND w.lease_until > clock_timestamp()) AS worker_alive,
               u.id IS NOT NULL AS initiator_found, u.disabled_at IS NOT NULL AS initiator_disabled,
               e.grant_id, e.role,
               t.workspace_id AS tenant_workspace_id, t.operability, t.authority_epoch,
               t.freeze_generation + coalesce(c.freeze_generation, 0) AS freeze_generation,
               t.write_gate_open, t.write_gate_checked_at, t.write_gate_healthy, t.write_gate_limit_seconds,
               c.tenant_id AS connection_tenant_id, c.enabled AND NOT c.frozen AS enabled, c.entra_tenant_id,
               k.connection_id IS NOT NULL AS has_credential, k.version AS credential_version,
               clock_timestamp() AS read_at
        FROM runs r
        LEFT JOIN users u ON u.id = r.initiator_id
        LEFT JOIN LATERAL entitlement(r.initiator_id, r.workspace_id, r.tenant_id) e ON true
        LEFT JOIN tenant_authority t ON t.tenant_id = r.tenant_id
        LEFT JOIN provider_connections c ON c.id = r.connection_id
        LEFT JOIN provider_credentials k ON k.connection_id = c.id
        WHERE r.id = ANY ($1::uuid[])
        """
}

/// A run and the present as the gate sees them.
struct AuthorityReadingRow {
    private(set) var run: RunSnapshot
    let facts: AuthorityFacts
    /// Whether the run waits and its next attempt is not due yet.
    let isEarly: Bool
    /// Whether the asking worker holds the run.
    let isMine: Bool
    /// Whether the asking worker's lease still lasts.
    let isWorkerAlive: Bool
    /// Which of the connection's credentials holds now; nil for none.
    let credentialVersion: Int?

    /// Marks the run as begun in this batch, so that a second message for it finds it running.
    mutating func use() { run.state = .running }

    init(_ row: Row) throws {
        let context = try JSON(parsing: row.text("context"))
        run = RunSnapshot(
            execution: QueuedExecution(
                runID: try RunID(row.uuid("id")), operation: try row.text("operation"),
                workspaceID: try WorkspaceID(row.uuid("workspace_id")),
                tenantID: try TenantID(row.uuid("tenant_id")),
                connectionID: try ConnectionID(row.uuid("connection_id")),
                initiatorID: try row.uuidOrNil("initiator_id").map(UserID.init),
                expiresAt: try row.date("expires_at"), context: QueuedExecutionContext(json: context),
                parameters: try row.parameters("parameters")),
            state: try row.runState("state"), attempt: try row.int("attempt"),
            queuedAt: try row.date("queued_at"),
            failedAttempts: try row.int("failed_attempts"),
            waitReason: try row.textOrNil("reason_code").flatMap(RunReason.init(code:)),
            counts: try row.counts("counts", of: row.text("operation")),
            cancelRequested: try row.bool("cancel_requested"), traceparent: try row.textOrNil("traceparent"))
        facts = try AuthorityFacts(row)
        isEarly = try row.bool("is_early")
        isMine = try row.bool("is_mine")
        isWorkerAlive = try row.bool("worker_alive")
        credentialVersion = try row.intOrNil("credential_version")
    }
}

extension AuthorityFacts {
    /// Reads the facts' columns, which the statements for runs and for starts name alike. What the database
    /// says and this version does not understand is unreadable, never a yes.
    init(_ row: Row) throws {
        self.init(
            initiator: try row.bool("initiator_found")
                ? .found(Initiator(isDisabled: try row.bool("initiator_disabled"))) : .missing,
            entitlement: try Self.entitlement(row), tenant: try Self.tenant(row),
            connection: try Self.connection(row), readAt: try row.date("read_at"))
    }

    private static func entitlement(_ row: Row) throws -> Fact<Entitlement> {
        guard let grant = try row.uuidOrNil("grant_id") else { return .missing }
        guard let role = Role(rawValue: try row.text("role")) else { return .unreadable }
        return .found(Entitlement(grantID: GrantID(grant), role: role))
    }

    private static func tenant(_ row: Row) throws -> Fact<Tenant> {
        guard let workspace = try row.uuidOrNil("tenant_workspace_id") else { return .missing }
        guard let operability = Operability(rawValue: try row.text("operability")) else { return .unreadable }
        return .found(
            Tenant(
                workspaceID: WorkspaceID(workspace), operability: operability,
                authorityEpoch: try row.int("authority_epoch"),
                freezeGeneration: try row.int("freeze_generation"),
                writeGate: WriteGate(
                    isOpen: try row.bool("write_gate_open"),
                    checkedAt: try row.dateOrNil("write_gate_checked_at"),
                    isHealthy: try row.bool("write_gate_healthy"),
                    limitSeconds: try row.int("write_gate_limit_seconds"))))
    }

    private static func connection(_ row: Row) throws -> Fact<Connection> {
        guard let tenant = try row.uuidOrNil("connection_tenant_id") else { return .missing }
        return .found(
            Connection(
                tenantID: TenantID(tenant), isEnabled: try row.bool("enabled"),
                entraTenantID: try row.text("entra_tenant_id"),
                hasCredential: try row.bool("has_credential")))
    }
}

extension Row {
    /// A run's state. The table's check knows the same words.
    func runState(_ column: String) throws -> RunState {
        let word = try text(column)
        guard let state = RunState(rawValue: word) else { throw StoreError.unreadable(column, word) }
        return state
    }

    /// What a start asked for; nil when there is nothing.
    func parameters(_ column: String) throws -> JSON? {
        try textOrNil(column).map { try JSON(parsing: $0) }
    }

    /// A run's counts; none when there are none, or when this version does not know the operation.
    func counts(_ column: String, of operation: String) throws -> SummaryCounts {
        guard let text = try textOrNil(column),
            let definition = OperationCatalogue.definition(named: operation)
        else { return SummaryCounts() }
        return try SummaryCounts(json: JSON(parsing: text), for: definition)
    }
}
