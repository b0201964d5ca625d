package import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Creates runs: passes each request through the start gate and commits the run together with its job.
///
/// Requests that arrive together share a transaction. The connections' rows are locked first, in the order of
/// their ids, so that of any number of simultaneous starts on one connection exactly one is accepted.
package struct StartService: Sendable {
    /// The answer to a request, as committed.
    package enum Answer: Sendable {
        /// A new run; its job may be published now.
        case accepted(RunSnapshot, PendingMessage)
        /// The run that is already there: the same operation is active, or the key was used before.
        case duplicate(RunID)
        /// Another operation is active on the connection.
        case busy(RunID, operation: String)
        /// The key was used before for something else.
        case keyReused(RunID)
        case refused(StartRefusal)
    }

    private let starts: GroupCommit<StartRequest, Answer>

    /// `families` are those whose consumers are deployed; `makeID` makes ids in the order of time (UUIDv7).
    package init(
        pool: PostgresPool, families: Set<OperationFamily>, outboxLeaseSeconds: Double,
        makeID: @escaping @Sendable () -> UUID
    ) {
        let start: @Sendable ([StartRequest]) async throws -> [Answer] = { requests in
            try await Self.start(
                requests, pool: pool, families: families, lease: outboxLeaseSeconds, makeID: makeID)
        }
        starts = GroupCommit(limit: 200) { requests in
            do {
                return try await start(requests)
            } catch let error as PostgresError where error.constraint == "start_keys_pkey" {
                // The same key was used at the same moment, for another connection: now it can be read.
                return try await start(requests)
            }
        }
    }

    /// Starts one operation. Throws the database's error when nothing could be decided; then nothing was
    /// started, or (`commitUnknown`) the same idempotency key tells.
    package func start(_ request: StartRequest) async throws -> Answer {
        try await starts.submit(request)
    }

    // MARK: statements

    static let lock: Statement = """
        SELECT id FROM provider_connections WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
        """

    static let facts: Statement = """
        SELECT q.position,
               c.id AS connection_id, c.workspace_id, c.tenant_id, c.entra_tenant_id, c.entra_tenant_name,
               u.id IS NOT NULL AS initiator_found, u.disabled_at IS NOT NULL AS initiator_disabled,
               e.grant_id, e.role,
               t.workspace_id AS tenant_workspace_id, t.operability, t.authority_epoch,
               t.freeze_generation + c.freeze_generation AS freeze_generation,
               t.write_gate_open, t.write_gate_checked_at, t.write_gate_healthy, t.write_gate_limit_seconds,
               c.tenant_id AS connection_tenant_id, c.enabled AND NOT c.frozen AS enabled,
               k.connection_id IS NOT NULL AS has_credential,
               r.id AS active_run_id, r.operation AS active_operation, r.parameters::text AS active_parameters,
               s.run_id AS key_run_id, s.operation AS key_operation, s.connection_id AS key_connection_id,
               (SELECT k.parameters::text FROM runs k WHERE k.id = s.run_id) AS key_parameters,
               clock_timestamp() AS read_at
        FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[])
            AS q (position, connection_id, user_id, caller_id, key)
        LEFT JOIN provider_connections c ON c.id = q.connection_id
        LEFT JOIN provider_credentials k ON k.connection_id = c.id
        LEFT JOIN users u ON u.id = q.user_id AND u.workspace_id = c.workspace_id
        LEFT JOIN LATERAL entitlement(u.id, c.workspace_id, c.tenant_id) e ON true
        LEFT JOIN tenant_authority t ON t.tenant_id = c.tenant_id
        LEFT JOIN runs r ON r.connection_id = c.id AND r.completed_at IS NULL
        LEFT JOIN start_keys s ON s.caller_id = q.caller_id AND s.key = q.key
        ORDER BY q.position
        """

    static let insert: Statement = """
        WITH fresh AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[],
                                 $7::json[], $8::text[], $9::timestamptz[], $10::timestamptz[],
                                 $11::json[], $12::text[], $13::text[], $14::bytea[], $15::text[],
                                 $17::uuid[], $18::uuid[], $19::uuid[], $20::json[])
                AS f (id, workspace_id, tenant_id, connection_id, operation, initiator_id, context,
                      traceparent, queued_at, expires_at, details, route, message_id, body, key,
                      caller_id, schedule_id, retry_of, parameters)
        ), started AS (
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, initiator_id, context,
                              traceparent, queued_at, expires_at, schedule_id, retry_of, parameters, state,
                              attempt)
            SELECT id, workspace_id, tenant_id, connection_id, operation, initiator_id, context, traceparent,
                   queued_at, expires_at, schedule_id, retry_of, parameters, 'queued', 1
            FROM fresh
        ), keyed AS (
            INSERT INTO start_keys (caller_id, key, run_id, operation, connection_id)
            SELECT caller_id, key, id, operation, connection_id FROM fresh WHERE key IS NOT NULL
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, run_id, details)
            SELECT 'run.queued', workspace_id, tenant_id, initiator_id, id, details FROM fresh
        )
        INSERT INTO outbox (due_at, route, message_id, run_id, body)
        SELECT clock_timestamp() + make_interval(secs => $16::float8), route, message_id, id, body FROM fresh
        RETURNING id, run_id
        """

    // MARK: one batch

    /// A run that is to be queued.
    struct Accepted {
        /// Of its request in the batch.
        let position: Int
        let run: RunSnapshot
        let message: OutboxMessage
        let callerID: UUID
        let key: String?

        init(position: Int, run: RunSnapshot, family: OperationFamily, request: StartRequest) {
            self.position = position
            self.run = run
            message = .job(run, family: family, attempt: 1)
            callerID = request.callerID
            key = request.idempotencyKey
        }
    }

    /// The locks of the requests' connections, and then the facts, one row for each request in order.
    static func reading(_ requests: [StartRequest]) -> [(Statement, [Parameter])] {
        [(lock, [.uuids(Array(Set(requests.map(\.connectionID.uuid))))]), (facts, asking(requests))]
    }

    /// The parameters of ``facts``.
    static func asking(_ requests: [StartRequest]) -> [Parameter] {
        [
            .ints(Array(requests.indices)), .uuids(requests.map(\.connectionID.uuid)),
            .uuids(requests.map(\.initiatorID?.uuid)), .uuids(requests.map(\.callerID)),
            .texts(requests.map(\.idempotencyKey)),
        ]
    }

    private static func start(
        _ requests: [StartRequest], pool: PostgresPool, families: Set<OperationFamily>, lease: Double,
        makeID: @Sendable () -> UUID
    ) async throws -> [Answer] {
        try await pool.transaction { transaction in
            let rows = try await transaction.pipeline(reading(requests))[1]
            var (answers, accepted) = try decide(requests, rows, families: families, makeID: makeID)
            guard !accepted.isEmpty else { return answers.map { $0! } }
            let written = try await transaction.finish(insert, parameters(accepted, lease: lease))
            var outboxIDs: [RunID: Int] = [:]
            for row in written { outboxIDs[RunID(try row.uuid("run_id"))] = try row.int("id") }
            for start in accepted {
                let pending = PendingMessage(
                    outboxID: outboxIDs[start.run.execution.runID]!, message: start.message)
                answers[start.position] = .accepted(start.run, pending)
            }
            return answers.map { $0! }
        }
    }

    /// Decides the requests one after another: what an earlier one of the batch started is active for the
    /// later ones. An accepted request has no answer yet.
    private static func decide(
        _ requests: [StartRequest], _ rows: Rows, families: Set<OperationFamily>, makeID: () -> UUID
    ) throws -> (answers: [Answer?], accepted: [Accepted]) {
        var answers: [Answer?] = []
        var accepted: [Accepted] = []
        for (position, (request, row)) in zip(requests, rows).enumerated() {
            if let earlier = try keyAnswer(request, row, accepted) {
                answers.append(earlier)
                continue
            }
            var facts = try startFacts(row)
            if let active = accepted.first(where: { $0.run.execution.connectionID == request.connectionID }) {
                let run = active.run.execution
                facts?.activeRun = (run.runID, run.operation, run.parameters)
            }
            let answer = StartGate.answer(
                request, facts: facts, families: families, runID: RunID(makeID()),
                now: facts?.authority.readAt ?? Date())
            switch answer {
            case .accepted(let run, let definition):
                accepted.append(
                    Accepted(position: position, run: run, family: definition.family, request: request))
                answers.append(nil)
            case .duplicate(let run): answers.append(.duplicate(run))
            case .busy(let run, let operation): answers.append(.busy(run, operation: operation))
            case .refused(let refusal): answers.append(.refused(refusal))
            }
        }
        return (answers, accepted)
    }

    /// The answer that the caller's own key gives: from an earlier transaction, or from this batch.
    private static func keyAnswer(
        _ request: StartRequest, _ row: Row, _ accepted: [Accepted]
    ) throws -> Answer? {
        guard let key = request.idempotencyKey else { return nil }
        if let runID = try row.uuidOrNil("key_run_id").map({ RunID($0) }) {
            let isSame =
                try row.text("key_operation") == request.operation
                && row.uuid("key_connection_id") == request.connectionID.uuid
                && RunParameters.isSame(row.parameters("key_parameters"), as: request)
            return isSame ? .duplicate(runID) : .keyReused(runID)
        }
        let earlier = accepted.first { $0.key == key && $0.callerID == request.callerID }
        return earlier.map { start in
            let run = start.run.execution
            let isSame =
                run.operation == request.operation && run.connectionID == request.connectionID
                && RunParameters.isSame(run.parameters, as: request)
            return isSame ? .duplicate(run.runID) : .keyReused(run.runID)
        }
    }

    static func startFacts(_ row: Row) throws -> StartFacts? {
        guard try row.uuidOrNil("connection_id") != nil else { return nil }
        var active: (RunID, String, JSON?)?
        if let run = try row.uuidOrNil("active_run_id") {
            active = (RunID(run), try row.text("active_operation"), try row.parameters("active_parameters"))
        }
        return StartFacts(
            workspaceID: WorkspaceID(try row.uuid("workspace_id")),
            tenantID: TenantID(try row.uuid("tenant_id")),
            entraTenantID: try row.text("entra_tenant_id"),
            entraTenantName: try row.text("entra_tenant_name"),
            authority: try AuthorityFacts(row), activeRun: active)
    }

    static func parameters(_ accepted: [Accepted], lease: Double) -> [Parameter] {
        let runs = accepted.map(\.run)
        let executions = runs.map(\.execution)
        return [
            .uuids(executions.map(\.runID.uuid)), .uuids(executions.map(\.workspaceID.uuid)),
            .uuids(executions.map(\.tenantID.uuid)), .uuids(executions.map(\.connectionID.uuid)),
            .texts(executions.map(\.operation)), .uuids(executions.map(\.initiatorID?.uuid)),
            .jsons(executions.map(contextText)), .texts(runs.map(\.traceparent)),
            .timestamps(runs.map(\.queuedAt)), .timestamps(executions.map(\.expiresAt)),
            .jsons(accepted.map { auditText($0.run, key: $0.key) }),
            .texts(accepted.map(\.message.route.name)),
            .texts(accepted.map(\.message.messageID)), .byteArrays(accepted.map(\.message.body)),
            .texts(accepted.map(\.key)), .double(lease), .uuids(accepted.map(\.callerID)),
            .uuids(runs.map(\.scheduleID?.uuid)), .uuids(runs.map(\.retryOf?.uuid)),
            .jsons(executions.map { $0.parameters?.text }),
        ]
    }

    static func contextText(_ execution: QueuedExecution) -> String? {
        let definition = OperationCatalogue.definition(named: execution.operation)
        return execution.context?.json(module: definition?.family.rawValue ?? "").text
    }

    static func auditText(_ run: RunSnapshot, key: String?) -> String? {
        let execution = run.execution
        var details: JSONObject = [
            "operation": .string(execution.operation),
            "origin": .optional(execution.context?.origin.rawValue),
            "required_capability": .optional(execution.context?.requiredCapability.rawValue),
        ]
        if let schedule = run.scheduleID {
            details["schedule_id"] = .string("\(schedule)")
            details["due_at"] = .optional(key)
        }
        if let first = run.retryOf { details["retry_of"] = .string("\(first)") }
        return JSON.object(details).text
    }
}
