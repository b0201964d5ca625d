package import Operations
package import Postgres

/// The groups of tenants' directories as they were seen last. Pages are written by one statement each.
package struct DirectoryGroups: Sendable {
    /// A group as a list shows it. Texts hold no NUL.
    package struct Group: Sendable, Hashable {
        /// The directory's id. 1 to 512 characters.
        package let id: String
        /// Nil when the list does not say it.
        package let name: String?

        package init(id: String, name: String?) {
            self.id = id
            self.name = name
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let upsert: Statement = """
        INSERT INTO directory_groups AS g (
            tenant_id, connection_id, group_id, display_name, folded_name, seen_run, changed_run)
        SELECT r.tenant_id, r.connection_id, i.*, r.id, r.id
        FROM runs r, unnest($3::text[], $4::text[], $5::text[]) AS i
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT (tenant_id, connection_id, group_id) DO UPDATE SET
            display_name = excluded.display_name, folded_name = excluded.folded_name, seen_at = excluded.seen_at, seen_run = excluded.seen_run,
            (changed_at, changed_run) = (
                SELECT CASE WHEN c.is_changed THEN excluded.seen_at ELSE g.changed_at END,
                       CASE WHEN c.is_changed THEN excluded.seen_run ELSE g.changed_run END
                FROM (SELECT g.gone_at IS NOT NULL
                             OR g.display_name IS DISTINCT FROM excluded.display_name AS is_changed) AS c),
            gone_at = NULL, gone_run = NULL
        """

    /// What the run did not see, once it has seen all there was.
    private static let markGone: Statement = """
        UPDATE directory_groups g SET gone_at = clock_timestamp(), gone_run = r.id
        FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
          AND g.tenant_id = r.tenant_id AND g.connection_id = r.connection_id
          AND g.gone_at IS NULL AND g.seen_run <> r.id
        """

    /// Records a page, and how far the run is, in one transaction. With the last page of the list, whatever the run
    /// did not see is gone. `failed` are entries of the page that could not be read.
    ///
    /// Throws ``CallRefusal/attemptLost`` when the run was taken away from this attempt.
    package func record(
        _ groups: [Group], failed: [Ledger.Item], isLast: Bool, progress: Ledger.Progress,
        under permit: ExecutionPermit
    ) async throws {
        let run: [Parameter] = [.uuid(permit.execution.runID.uuid), .int(permit.attempt)]
        let groups = groups.lastOfEach(\.id)
        var calls: [(Statement, [Parameter])] = []
        if !groups.isEmpty {
            let columns: [Parameter] = [
                .texts(groups.map(\.id)), .texts(groups.map(\.name)),
                .texts(groups.map { Self.folded($0.name) }),
            ]
            calls.append((Self.upsert, run + columns))
        }
        if isLast { calls.append((Self.markGone, run)) }
        calls += Ledger.calls(failed, progress: progress, under: permit)
        try Ledger.checkMoved(await pool.pipeline(calls))
    }

    /// A name as it is looked for: in small letters, whatever its language.
    package static func folded(_ name: String?) -> String { name?.lowercased() ?? "" }

    /// What a run saw, found changed (or new, or back), and found gone.
    package func tally(of run: QueuedExecution) async throws -> InventoryTally {
        try await pool.query(
            """
            SELECT count(*) FILTER (WHERE seen_run = $3::uuid), count(*) FILTER (WHERE changed_run = $3::uuid),
                   count(*) FILTER (WHERE gone_run = $3::uuid)
            FROM directory_groups WHERE tenant_id = $1::uuid AND connection_id = $2::uuid
            """, [.uuid(run.tenantID.uuid), .uuid(run.connectionID.uuid), .uuid(run.runID.uuid)]
        ).map(InventoryTally.init)[0]
    }
}
