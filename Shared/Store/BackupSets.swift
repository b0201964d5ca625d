package import Operations
package import Postgres

/// Backup sets: what one run read of a tenant's policies. A set has the id of its run, and every attempt of the run
/// goes on with it.
package struct BackupSets: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // Every statement joins the run with the attempt that the caller believes in.

    private static let open: Statement = """
        INSERT INTO backup_sets (tenant_id, id, connection_id, kinds)
        SELECT r.tenant_id, r.id, r.connection_id, $3::text[] FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT DO NOTHING
        """

    private static let upsert: Statement = """
        INSERT INTO backup_items (tenant_id, backup_id, item_id, kind, policy_id, name, type, hash)
        SELECT r.tenant_id, r.id,
               encode(substr(sha256(convert_to($3::text || ' ' || i.policy_id, 'UTF8')), 1, 16), 'hex')::uuid,
               $3::text, i.*
        FROM runs r, unnest($4::text[], $5::text[], $6::text[], $7::bytea[]) AS i (policy_id, name, type, hash)
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT (tenant_id, backup_id, kind, policy_id) DO UPDATE SET
            name = excluded.name, type = excluded.type, hash = excluded.hash
        """

    /// The hash of the whole: of all items' kinds, ids and hashes, in one order.
    private static let complete: Statement = """
        UPDATE backup_sets b SET completed_at = clock_timestamp(), content_hash = sha256(coalesce(
            (SELECT string_agg(convert_to(i.kind || ' ' || i.policy_id || ' ' || encode(i.hash, 'hex') || E'\\n',
                                          'UTF8'), '' ORDER BY i.kind COLLATE "C", i.policy_id COLLATE "C")
             FROM backup_items i WHERE i.tenant_id = b.tenant_id AND i.backup_id = b.id), ''))
        FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
          AND b.tenant_id = r.tenant_id AND b.id = r.id AND b.completed_at IS NULL
        """

    /// Opens the run's set, unless an earlier attempt has.
    package func open(_ kinds: [PolicyKind], under permit: ExecutionPermit) async throws {
        _ = try await pool.query(
            Self.open, PolicyInventory.run(permit) + [.texts(kinds.map(\.rawValue))])
    }

    /// Records a page of policies in the run's set, and how far the run is, in one transaction. `others` are entries
    /// of the page that could not be read; `cleared` are the ledger's keys of items that an earlier reading left in
    /// it, and that were read now.
    ///
    /// Throws ``CallRefusal/attemptLost`` when the run was taken away from this attempt.
    package func record(
        _ policies: [ReadPolicy], of kind: PolicyKind, others: [Ledger.Item], cleared: [String],
        progress: Ledger.Progress, under permit: ExecutionPermit
    ) async throws {
        let policies = policies.lastOfEach(\.listed.id)
        let run = PolicyInventory.run(permit)
        var calls: [(Statement, [Parameter])] = []
        if !policies.isEmpty {
            calls.append((PolicyInventory.insertContents, run + PolicyInventory.contents(policies)))
            calls.append(
                (
                    Self.upsert,
                    run + [
                        .text(kind.rawValue), .texts(policies.map(\.listed.id)),
                        .texts(policies.map(\.listed.name)), .texts(policies.map(\.listed.type)),
                        .byteArrays(policies.map(\.hash)),
                    ]
                ))
        }
        calls += Ledger.calls(others, cleared: cleared, progress: progress, under: permit)
        try Ledger.checkMoved(await pool.pipeline(calls))
    }

    /// Marks the run's set as complete: everything of its kinds was read.
    package func complete(under permit: ExecutionPermit) async throws {
        _ = try await pool.query(Self.complete, PolicyInventory.run(permit))
    }

    /// How many items are in the run's set.
    package func count(of run: QueuedExecution) async throws -> Int {
        try await pool.query(
            "SELECT count(*) FROM backup_items WHERE tenant_id = $1::uuid AND backup_id = $2::uuid",
            [.uuid(run.tenantID.uuid), .uuid(run.runID.uuid)])[0].int(0)
    }
}
