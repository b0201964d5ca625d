package import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// When something that was taken away took effect, and when the last call under it was off the wire.
package struct BarrierRecord: Sendable, Hashable {
    /// What was done, in the audit's word.
    package let change: String
    package let by: RunSummary.Named<Subject.User>?
    /// Who it was taken from; nil for what concerns no single person.
    package let person: RunSummary.Named<Subject.User>?
    package let tenant: RunSummary.Named<Subject.Tenant>?
    package let effectiveAt: Date
    /// Nil when a call is in doubt.
    package let settledAt: Date?
    /// How many calls are in doubt.
    package let inDoubt: Int
}

/// Reads from the audit when changes of access took effect. Who may see it is for the caller to decide.
package struct BarrierReading: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let latest: Statement = """
        SELECT a.details::text AS details, a.actor_id, u.name AS actor_name, p.id AS person_id, p.name AS person_name,
               t.id AS tenant_id, t.name AS tenant_name
        FROM (
            SELECT id, actor_id, tenant_id, details FROM audit
            WHERE workspace_id = $1::uuid AND action = 'authority.took_effect'
              AND ($2::uuid[] IS NULL OR tenant_id = ANY ($2::uuid[]))
            ORDER BY id DESC LIMIT $3::int
        ) a
        LEFT JOIN users u ON u.id = a.actor_id
        LEFT JOIN users p ON p.id = (a.details->>'user_id')::uuid AND p.workspace_id = $1::uuid
        LEFT JOIN tenants t ON t.id = a.tenant_id
        ORDER BY a.id DESC
        """

    /// The latest of a workspace, or of some of its tenants only; newest first.
    package func latest(
        in workspace: WorkspaceID, on tenants: [TenantID]?, limit: Int
    ) async throws -> [BarrierRecord] {
        try await pool.query(
            Self.latest,
            [
                .uuid(workspace.uuid), tenants.map { .uuids($0.map(\.uuid)) } ?? .null,
                .int(limit),
            ]
        ).compactMap(BarrierRecord.init)
    }
}

extension BarrierRecord {
    /// Nil for a record of another version that says no moment.
    fileprivate init?(_ row: Row) throws {
        let details = try JSON(parsing: Array(row.text("details").utf8))
        guard let effectiveAt = details["effective_at"].flatMap(Timestamp.init(json:))?.date else {
            return nil
        }
        self.init(
            change: details["change"]?.string ?? AuditAction.tookEffect.rawValue,
            by: try row.uuidOrNil("actor_id").map { id in
                RunSummary.Named(id: UserID(id), name: try row.textOrNil("actor_name") ?? "")
            },
            person: try row.uuidOrNil("person_id").map { id in
                RunSummary.Named(id: UserID(id), name: try row.textOrNil("person_name") ?? "")
            },
            tenant: try row.uuidOrNil("tenant_id").map { id in
                RunSummary.Named(id: TenantID(id), name: try row.textOrNil("tenant_name") ?? "")
            }, effectiveAt: effectiveAt,
            settledAt: details["settled_at"].flatMap(Timestamp.init(json:))?.date,
            inDoubt: details["in_doubt"]?.integer ?? 0)
    }
}
