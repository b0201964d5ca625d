internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Which runs a list shows.
package struct RunFilter: Sendable, Hashable {
    /// Where: one tenant, or whichever of these tenants of a workspace.
    package enum Scope: Sendable, Hashable {
        case tenant(TenantID)
        case workspace(WorkspaceID, visible: [TenantID])
    }

    package var scope: Scope
    package var state: RunState?
    package var outcome: RunOutcome?
    package var operation: String?
    /// Only runs that are older than this one: where the page before ended.
    package var before: RunID?
    /// The most runs of the page; itself at most ``Page/limit``.
    package var limit: Int

    package init(
        scope: Scope, state: RunState? = nil, outcome: RunOutcome? = nil, operation: String? = nil,
        before: RunID? = nil, limit: Int
    ) {
        self.scope = scope
        self.state = state
        self.outcome = outcome
        self.operation = operation
        self.before = before
        self.limit = limit
    }
}

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

    /// One of three ways to a page is executed: a tenant's index, the few active runs, or the workspace's
    /// index. Ids are in the order of time, so a page goes on from the last id of the one before.
    private static let page: Statement = """
        WITH page AS (
            (SELECT id FROM runs
             WHERE $1::text = 'tenant' AND tenant_id = ($3::uuid[])[1] AND id < $4::uuid
               AND ($5::text IS NULL OR state = $5) AND ($6::text IS NULL OR outcome = $6)
               AND ($7::text IS NULL OR operation = $7)
             ORDER BY id DESC LIMIT $8::int)
            UNION ALL
            (SELECT id FROM runs
             WHERE $1::text = 'active' AND completed_at IS NULL AND workspace_id = $2::uuid
               AND tenant_id = ANY ($3::uuid[]) AND id < $4::uuid
               AND state = $5 AND ($7::text IS NULL OR operation = $7)
             ORDER BY id DESC LIMIT $8::int)
            UNION ALL
            (SELECT id FROM runs
             WHERE $1::text = 'workspace' AND workspace_id = $2::uuid
               AND tenant_id = ANY ($3::uuid[]) AND id < $4::uuid
               AND ($5::text IS NULL OR state = $5) AND ($6::text IS NULL OR outcome = $6)
               AND ($7::text IS NULL OR operation = $7)
             ORDER BY id DESC LIMIT $8::int)
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

    /// A page of runs, newest first.
    package func list(_ filter: RunFilter) async throws -> Page<RunSummary> {
        var way = "workspace"
        var workspace = Parameter.null
        var tenants: [TenantID] = []
        switch filter.scope {
        case .tenant(let tenant):
            way = "tenant"
            tenants = [tenant]
        case .workspace(let id, let visible):
            // What is active has no outcome; there is an index of just these.
            if let state = filter.state, state != .completed {
                way = filter.outcome == nil ? "active" : "none"
            }
            workspace = .uuid(id.uuid)
            tenants = visible
        }
        let rows = try await pool.query(
            Self.page,
            [
                .text(way), workspace, .uuids(tenants.map(\.uuid)),
                .uuid(filter.before?.uuid ?? Self.last), Self.text(filter.state?.rawValue),
                Self.text(filter.outcome?.rawValue), Self.text(filter.operation),
                .int(Page<RunSummary>.rows(for: filter.limit)),
            ]
        ).map(RunSummary.init)
        return Page(rows: rows, limit: filter.limit)
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
