internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Reads runs for people. Who may see them is for the caller to decide.
package struct RunReading: Sendable {
    private let pool: PostgresPool
    private let states: GroupCommit<RunID, RunState?>

    package init(pool: PostgresPool) {
        self.pool = pool
        states = GroupCommit { ids in
            let rows = try await pool.query(
                "SELECT id, state FROM runs WHERE id = ANY ($1::uuid[])",
                [.uuids(Array(Set(ids.map(\.uuid))))])
            var states: [RunID: RunState] = [:]
            for row in rows { states[RunID(try row.uuid("id"))] = try row.runState("state") }
            return ids.map { states[$0] }
        }
    }

    /// Where a run stands; nil when there is none. Those who ask at the same time share a query.
    package func state(of run: RunID) async throws -> RunState? { try await states.submit(run) }

    /// Of the ways to a page one is executed: the index of each tenant, the few active runs, the index of what people
    /// look for most, or the workspace's. Ids are in the order of time, so a page goes on from the last id of the one
    /// before, and a time is a lowest id.
    private static let page: Statement = """
        WITH page AS (
            (SELECT own.id FROM unnest($3::uuid[]) AS t (id) CROSS JOIN LATERAL (
                SELECT r.id FROM runs r
                WHERE r.tenant_id = t.id AND r.id < $4::uuid AND r.id >= $5::uuid
                  AND run_is_listed(r, $7, $8, $9, $10, $11::uuid, $12::bool, $13::uuid, $14::bool)
                ORDER BY r.id DESC LIMIT $6::int) AS own
             WHERE $1::text = 'tenants' ORDER BY own.id DESC LIMIT $6::int)
            UNION ALL
            (SELECT r.id FROM runs r
             WHERE $1::text = 'active' AND r.completed_at IS NULL AND r.workspace_id = $2::uuid
               AND r.tenant_id = ANY ($3::uuid[]) AND r.id < $4::uuid AND r.id >= $5::uuid
               AND run_is_listed(r, $7, $8, $9, $10, $11::uuid, $12::bool, $13::uuid, $14::bool)
             ORDER BY r.id DESC LIMIT $6::int)
            UNION ALL
            (SELECT r.id FROM runs r
             WHERE $1::text = 'outcome' AND r.workspace_id = $2::uuid AND r.outcome = $8 AND r.outcome <> 'succeeded'
               AND r.tenant_id = ANY ($3::uuid[]) AND r.id < $4::uuid AND r.id >= $5::uuid
               AND run_is_listed(r, $7, $8, $9, $10, $11::uuid, $12::bool, $13::uuid, $14::bool)
             ORDER BY r.id DESC LIMIT $6::int)
            UNION ALL
            (SELECT r.id FROM runs r
             WHERE $1::text = 'initiator' AND r.workspace_id = $2::uuid AND r.initiator_id = $11::uuid
               AND r.tenant_id = ANY ($3::uuid[]) AND r.id < $4::uuid AND r.id >= $5::uuid
               AND run_is_listed(r, $7, $8, $9, $10, $11::uuid, $12::bool, $13::uuid, $14::bool)
             ORDER BY r.id DESC LIMIT $6::int)
            UNION ALL
            (SELECT r.id FROM runs r
             WHERE $1::text = 'operation' AND r.workspace_id = $2::uuid AND r.operation = $9
               AND r.tenant_id = ANY ($3::uuid[]) AND r.id < $4::uuid AND r.id >= $5::uuid
               AND run_is_listed(r, $7, $8, $9, $10, $11::uuid, $12::bool, $13::uuid, $14::bool)
             ORDER BY r.id DESC LIMIT $6::int)
            UNION ALL
            (SELECT r.id FROM runs r
             WHERE $1::text = 'workspace' AND r.workspace_id = $2::uuid
               AND r.tenant_id = ANY ($3::uuid[]) AND r.id < $4::uuid AND r.id >= $5::uuid
               AND run_is_listed(r, $7, $8, $9, $10, $11::uuid, $12::bool, $13::uuid, $14::bool)
             ORDER BY r.id DESC LIMIT $6::int)
        )
        SELECT r.id, r.operation, r.state, r.outcome, r.reason_code, r.cancel_requested, r.counts,
               r.attempt, r.queued_at, r.expires_at, r.started_at, r.completed_at, r.next_attempt_at,
               r.workspace_id, r.tenant_id, t.name AS tenant_name, r.connection_id, c.display_name,
               r.initiator_id, u.name AS initiator_name, r.schedule_id, r.retry_of,
               g.done, g.total
        FROM page JOIN runs r USING (id)
        JOIN tenants t ON t.id = r.tenant_id
        JOIN provider_connections c ON c.id = r.connection_id
        LEFT JOIN users u ON u.id = r.initiator_id
        LEFT JOIN run_progress g ON g.run_id = r.id
        ORDER BY r.id DESC
        """

    /// What a filter leaves depends on its values: a plan that is made without them reads millions of runs for a page.
    /// Holds for the round trip.
    private static let plannedByValues: Statement =
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"

    /// A page of runs, newest first.
    package func list(_ filter: RunFilter) async throws -> Page<RunSummary> {
        let parameters: [Parameter] = [
            .text(filter.way.rawValue), .uuid(filter.workspace.uuid), .uuids(filter.tenants.map(\.uuid)),
            .uuid(filter.before?.uuid ?? Self.last),
            .uuid(filter.since.map(UUID.init(lowestAt:)) ?? TenantReading.first),
            .int(Page<RunSummary>.rows(for: filter.limit)),
            Self.text(filter.state?.rawValue), Self.text(filter.outcome?.rawValue),
            Self.text(filter.operation), Self.text(filter.reason?.code),
            filter.initiator.map { .uuid($0.uuid) } ?? .null, .bool(filter.isOfSystem),
            filter.connection.map { .uuid($0.uuid) } ?? .null,
            filter.isWaiting.map(Parameter.bool) ?? .null,
        ]
        let results = try await pool.pipeline([(Self.plannedByValues, []), (Self.page, parameters)])
        let rows = try results[1].map(RunSummary.init)
        return Page(rows: rows, limit: filter.limit)
    }

    private static let chosen: Statement = """
        SELECT r.id, r.operation, r.state, r.outcome, r.reason_code, r.cancel_requested, r.counts,
               r.attempt, r.queued_at, r.expires_at, r.started_at, r.completed_at, r.next_attempt_at,
               r.workspace_id, r.tenant_id, t.name AS tenant_name, r.connection_id, c.display_name,
               r.initiator_id, u.name AS initiator_name, r.schedule_id, r.retry_of,
               g.done, g.total
        FROM runs r
        JOIN tenants t ON t.id = r.tenant_id
        JOIN provider_connections c ON c.id = r.connection_id
        LEFT JOIN users u ON u.id = r.initiator_id
        LEFT JOIN run_progress g ON g.run_id = r.id
        WHERE r.id = ANY ($1::uuid[]) AND r.tenant_id = ANY ($2::uuid[])
        ORDER BY r.id DESC
        """

    /// Those of these runs that are on one of the tenants, newest first.
    package func list(_ ids: [RunID], on tenants: [TenantID]) async throws -> [RunSummary] {
        try await pool.query(Self.chosen, [.uuids(ids.map(\.uuid)), .uuids(tenants.map(\.uuid))])
            .map(RunSummary.init)
    }

    private static func text(_ text: String?) -> Parameter { text.map(Parameter.text) ?? .null }

    /// Above every id of a run.
    static let last = UUID(
        uuid: (255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255))

    private static let one: Statement = """
        SELECT r.id, r.operation, r.state, r.outcome, r.reason_code, r.cancel_requested, r.counts,
               r.attempt, r.queued_at, r.expires_at, r.started_at, r.completed_at, r.next_attempt_at,
               r.workspace_id, r.tenant_id, t.name AS tenant_name, r.connection_id, c.display_name,
               r.initiator_id, u.name AS initiator_name, r.schedule_id, r.retry_of,
               g.done, g.total, r.context, r.parameters::text AS parameters,
               ARRAY(SELECT n.id FROM runs n WHERE n.retry_of = r.id ORDER BY n.id DESC LIMIT 20) AS retries
        FROM runs r
        JOIN tenants t ON t.id = r.tenant_id
        JOIN provider_connections c ON c.id = r.connection_id
        LEFT JOIN users u ON u.id = r.initiator_id
        LEFT JOIN run_progress g ON g.run_id = r.id
        WHERE r.id = $1::uuid
        """

    private static let timeline: Statement = """
        SELECT * FROM (
            SELECT id, at, action, details->>'outcome' AS outcome, details->>'reason_code' AS reason_code
            FROM audit WHERE run_id = $1::uuid ORDER BY id DESC LIMIT $2::int
        ) AS latest ORDER BY id
        """

    private static let items: Statement =
        "SELECT state, count(*) AS count FROM run_items WHERE run_id = $1::uuid GROUP BY state"

    /// One run with its timeline and its items; nil when there is none.
    package func run(_ id: RunID) async throws -> RunDetail? {
        let run = Parameter.uuid(id.uuid)
        let results = try await pool.pipeline([
            (Self.one, [run]), (Self.timeline, [run, .int(RunDetail.eventLimit)]), (Self.items, [run]),
        ])
        guard let row = results[0].first else { return nil }
        var items: [Ledger.Item.State: Int] = [:]
        for row in results[2] { items[try row.itemState("state")] = try row.int("count") }
        return RunDetail(
            summary: try RunSummary(row), context: try JSON(parsing: row.bytes("context")),
            parameters: try row.parameters("parameters"),
            timeline: try results[1].map(RunDetail.Event.init), items: items,
            retries: try row.uuids("retries").map { RunID($0) })
    }

    private static let repeatable: Statement = """
        SELECT operation, connection_id, parameters::text AS parameters, state, outcome FROM runs WHERE id = $1::uuid
        """

    /// What another run would need to do the same; nil when there is no such run.
    package func repeatable(_ id: RunID) async throws -> RepeatableRun? {
        guard let row = try await pool.query(Self.repeatable, [.uuid(id.uuid)]).first else { return nil }
        return RepeatableRun(
            operation: try row.text("operation"), connectionID: ConnectionID(try row.uuid("connection_id")),
            parameters: try row.parameters("parameters"),
            state: try row.runState("state"),
            outcome: try row.textOrNil("outcome").flatMap(RunOutcome.init))
    }

    /// The last complete decision about the run. A failure at the provider leaves a reason and no decision.
    private static let decision: Statement = """
        SELECT details->'decision' AS decision FROM audit
        WHERE run_id = $1::uuid AND action = ANY ($2::text[]) AND details->'decision'->'checks' IS NOT NULL
        ORDER BY id DESC LIMIT 1
        """

    private static let deciding: [AuditAction] = [.runBegan, .runWaits, .runBlocked, .runEnded]

    /// What was decided about the run, and what would be decided now; nil when there is no such run.
    package func explanation(of id: RunID) async throws -> RunExplanation? {
        let results = try await pool.pipeline([
            (AuthorityReading.facts, [.uuids([id.uuid]), .null]),
            (Self.decision, [.uuid(id.uuid), .texts(Self.deciding.map(\.rawValue))]),
        ])
        guard let reading = try results[0].first.map(AuthorityReadingRow.init) else { return nil }
        return RunExplanation(
            run: reading.run, facts: reading.facts,
            then: try results[1].first.map { try JSON(parsing: $0.bytes("decision")) })
    }
}
