package import FoundationEssentials
package import Operations
package import Postgres

/// What is looked for in the audit, and how much of it.
package struct AuditFilter: Sendable, Hashable {
    /// Where: a whole workspace, what concerns no tenant included, or tenants of it.
    package enum Scope: Sendable, Hashable {
        case workspace(WorkspaceID)
        case tenants([TenantID])
    }

    package var scope: Scope
    package var action: String?
    package var actorID: UserID?
    package var runID: RunID?
    /// Records from then on.
    package var since: Date?
    /// Records before then.
    package var until: Date?
    /// Only records that are older than this one: where the page before ended.
    package var before: Int?
    /// The most records of the page; itself at most ``Page/limit``.
    package var limit: Int

    package init(
        scope: Scope, action: String? = nil, actorID: UserID? = nil, runID: RunID? = nil, since: Date? = nil,
        until: Date? = nil, before: Int? = nil, limit: Int
    ) {
        self.scope = scope
        self.action = action
        self.actorID = actorID
        self.runID = runID
        self.since = since
        self.until = until
        self.before = before
        self.limit = limit
    }
}

/// Reads the audit for people. Who may see it is for the caller to decide.
package struct AuditReading: Sendable {
    /// A record, with the names that things have now.
    package struct Named: Sendable, Hashable {
        package let entry: AuditEntry
        package let tenantName: String?
        package let actorName: String?
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let page: Statement = """
        SELECT a.id, (extract(epoch FROM a.at) * 1000000)::bigint AS microseconds, a.action, a.workspace_id,
               a.tenant_id, a.actor_id, a.run_id, a.details::text AS details, t.name AS tenant_name,
               u.name AS actor_name
        FROM (
            SELECT * FROM audit
            WHERE ($1::uuid IS NULL OR workspace_id = $1::uuid)
              AND ($2::uuid[] IS NULL OR tenant_id = ANY ($2::uuid[]))
              AND ($3::text IS NULL OR action = $3) AND ($4::uuid IS NULL OR actor_id = $4::uuid)
              AND ($5::uuid IS NULL OR run_id = $5::uuid) AND ($6::timestamptz IS NULL OR at >= $6::timestamptz)
              AND ($7::timestamptz IS NULL OR at < $7::timestamptz) AND id < $8::bigint
            ORDER BY id DESC LIMIT $9::int
        ) a
        LEFT JOIN tenants t ON t.id = a.tenant_id
        LEFT JOIN users u ON u.id = a.actor_id
        ORDER BY a.id DESC
        """

    /// A page of records, newest first.
    package func list(_ filter: AuditFilter) async throws -> Page<Named> {
        let (workspace, tenants): (Parameter, Parameter) =
            switch filter.scope {
            case .workspace(let id): (.uuid(id.uuid), .null)
            case .tenants(let ids): (.null, .uuids(ids.map(\.uuid)))
            }
        let rows = try await pool.query(
            Self.page,
            [
                workspace, tenants, filter.action.map(Parameter.text) ?? .null,
                filter.actorID.map { .uuid($0.uuid) } ?? .null, filter.runID.map { .uuid($0.uuid) } ?? .null,
                filter.since.map(Parameter.timestamp) ?? .null,
                filter.until.map(Parameter.timestamp) ?? .null,
                .int(filter.before ?? .max), .int(Page<Named>.rows(for: filter.limit)),
            ]
        ).map { row in
            Named(
                entry: try AuditEntry(row), tenantName: try row.textOrNil("tenant_name"),
                actorName: try row.textOrNil("actor_name"))
        }
        return Page(rows: rows, limit: filter.limit)
    }
}
