internal import FoundationEssentials
package import Operations
package import Postgres

/// The latest runs of some operations, or of a schedule. Who may see them is for the caller to decide.
package struct RecentRuns: Sendable {
    private let pool: PostgresPool
    private let runs: RunReading

    package init(pool: PostgresPool) {
        self.pool = pool
        runs = RunReading(pool: pool)
    }

    private static let ofOperations: Statement = """
        SELECT own.id FROM unnest($3::text[]) AS o (name) CROSS JOIN LATERAL (
            SELECT r.id FROM runs r
            WHERE r.workspace_id = $1::uuid AND r.operation = o.name AND r.tenant_id = ANY ($2::uuid[])
            ORDER BY r.id DESC LIMIT $4::int) AS own
        ORDER BY own.id DESC LIMIT $4::int
        """

    /// The latest runs of the operations on the tenants, newest first.
    package func runs(
        of operations: [OperationType], in workspace: WorkspaceID, on tenants: [TenantID], limit: Int
    ) async throws -> [RunSummary] {
        let found = try await pool.query(
            Self.ofOperations,
            [
                .uuid(workspace.uuid), .uuids(tenants.map(\.uuid)), .texts(operations.map(\.rawValue)),
                .int(limit),
            ]
        ).map { RunID(try $0.uuid("id")) }
        return try await runs.list(found, on: tenants)
    }

    private static let ofSchedule: Statement = """
        SELECT r.id FROM runs r
        WHERE r.schedule_id = $1::uuid AND r.tenant_id = $2::uuid
          AND r.queued_at < coalesce((SELECT b.queued_at FROM runs b WHERE b.id = $3::uuid), 'infinity')
        ORDER BY r.queued_at DESC LIMIT $4::int
        """

    /// A page of the runs that a schedule started on its tenant, newest first; those before the run `before`.
    package func runs(
        startedBy schedule: ScheduleID, on tenant: TenantID, before: RunID?, limit: Int
    ) async throws -> Page<RunSummary> {
        let found = try await pool.query(
            Self.ofSchedule,
            [
                .uuid(schedule.uuid), .uuid(tenant.uuid), before.map { .uuid($0.uuid) } ?? .null,
                .int(Page<RunSummary>.rows(for: limit)),
            ]
        ).map { RunID(try $0.uuid("id")) }
        return Page(rows: try await runs.list(found, on: [tenant]), limit: limit)
    }
}
