package import FoundationEssentials
package import Operations
package import Postgres

/// A policy as a list shows it. Texts hold no NUL.
package struct ListedPolicy: Sendable, Hashable {
    /// The provider's id. 1 to 512 characters.
    package let id: String
    package let name: String?
    /// The provider's type, where a kind has several.
    package let type: String?
    package let modifiedAt: Date?
    /// The fingerprint of what the list shows. 32 bytes.
    package let listedHash: [UInt8]

    package init(id: String, name: String?, type: String?, modifiedAt: Date?, listedHash: [UInt8]) {
        self.id = id
        self.name = name
        self.type = type
        self.modifiedAt = modifiedAt
        self.listedHash = listedHash
    }
}

/// A policy with its content.
package struct ReadPolicy: Sendable, Hashable {
    package let listed: ListedPolicy
    /// Canonical JSON in UTF-8, secrets masked.
    package let content: [UInt8]
    /// SHA-256 of the content.
    package let hash: [UInt8]
    /// How many secrets are masked in it.
    package let secrets: Int

    package init(listed: ListedPolicy, content: [UInt8], hash: [UInt8], secrets: Int) {
        self.listed = listed
        self.content = content
        self.hash = hash
        self.secrets = secrets
    }
}

/// The policies of tenants as they were seen last, and their versions. Pages are written by one statement each.
package struct PolicyInventory: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let upsertListed: Statement = """
        INSERT INTO inventory_policies AS p (
            tenant_id, connection_id, kind, policy_id, name, type, modified_at, listed_hash, seen_run, changed_run)
        SELECT r.tenant_id, r.connection_id, $3::text, i.*, r.id, r.id
        FROM runs r, unnest($4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bytea[]) AS i
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT (tenant_id, connection_id, kind, policy_id) DO UPDATE SET
            name = excluded.name, type = excluded.type, modified_at = excluded.modified_at,
            listed_hash = excluded.listed_hash, seen_at = excluded.seen_at, seen_run = excluded.seen_run,
            (changed_at, changed_run) = (
                SELECT CASE WHEN c.is_changed THEN excluded.seen_at ELSE p.changed_at END,
                       CASE WHEN c.is_changed THEN excluded.seen_run ELSE p.changed_run END
                FROM (SELECT p.gone_at IS NOT NULL
                             OR p.listed_hash IS DISTINCT FROM excluded.listed_hash AS is_changed) AS c),
            gone_at = NULL, gone_run = NULL
        """

    /// An unchanged content makes no version, however often it is read; a content that comes back makes one.
    private static let upsertRead: Statement = """
        WITH page AS (
            SELECT r.tenant_id, r.connection_id, r.id AS run_id, i.*
            FROM runs r, unnest($4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bytea[], $9::bytea[])
                AS i (policy_id, name, type, modified_at, listed_hash, hash)
            WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ), stored AS (
            INSERT INTO inventory_policies AS p (
                tenant_id, connection_id, kind, policy_id, name, type, modified_at, listed_hash, content_hash,
                version, seen_run, changed_run, version_run, read_run)
            SELECT tenant_id, connection_id, $3::text, policy_id, name, type, modified_at, listed_hash, hash, 1,
                   run_id, run_id, run_id, run_id
            FROM page
            ON CONFLICT (tenant_id, connection_id, kind, policy_id) DO UPDATE SET
                name = excluded.name, type = excluded.type, modified_at = excluded.modified_at,
                listed_hash = excluded.listed_hash, content_hash = excluded.content_hash,
                version = p.version
                    + CASE WHEN p.content_hash IS DISTINCT FROM excluded.content_hash THEN 1 ELSE 0 END,
                version_run = CASE WHEN p.content_hash IS DISTINCT FROM excluded.content_hash
                              THEN excluded.version_run ELSE p.version_run END,
                seen_at = excluded.seen_at, seen_run = excluded.seen_run, read_run = excluded.read_run,
                (changed_at, changed_run) = (
                    SELECT CASE WHEN c.is_changed THEN excluded.seen_at ELSE p.changed_at END,
                           CASE WHEN c.is_changed THEN excluded.seen_run ELSE p.changed_run END
                    FROM (SELECT p.gone_at IS NOT NULL
                                 OR p.listed_hash IS DISTINCT FROM excluded.listed_hash AS is_changed) AS c),
                gone_at = NULL, gone_run = NULL
            RETURNING p.tenant_id, p.connection_id, p.kind, p.policy_id, p.version, p.name, p.content_hash,
                      p.seen_run, p.version_run
        )
        INSERT INTO policy_versions (tenant_id, connection_id, kind, policy_id, version, name, hash, run_id)
        SELECT tenant_id, connection_id, kind, policy_id, version, name, content_hash, version_run
        FROM stored WHERE version_run = seen_run
        ON CONFLICT DO NOTHING
        """

    /// Contents come before what points to them. Equal ones of a page are one row.
    static let insertContents: Statement = """
        INSERT INTO policy_contents (tenant_id, hash, content, secrets)
        SELECT r.tenant_id, i.*
        FROM runs r, unnest($3::bytea[], $4::bytea[], $5::int[]) AS i
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT DO NOTHING
        """

    private static let markGone: Statement = """
        UPDATE inventory_policies p SET gone_at = clock_timestamp(), gone_run = r.id
        FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
          AND p.tenant_id = r.tenant_id AND p.connection_id = r.connection_id AND p.kind = $3::text
          AND p.gone_at IS NULL AND p.seen_run <> r.id
        """

    /// Records a page of a list, and how far the run is, in one transaction. With the last page of the kind,
    /// whatever of it the run did not see is gone. `others` are entries of the page that could not be read.
    ///
    /// Throws ``CallRefusal/attemptLost`` when the run was taken away from this attempt.
    package func record(
        _ policies: [ListedPolicy], of kind: PolicyKind, others: [Ledger.Item], isLast: Bool,
        progress: Ledger.Progress, under permit: ExecutionPermit
    ) async throws {
        let policies = policies.lastOfEach(\.id)
        var calls: [(Statement, [Parameter])] = []
        if !policies.isEmpty {
            calls.append(
                (Self.upsertListed, Self.run(permit) + [.text(kind.rawValue)] + Self.columns(policies)))
        }
        try await write(calls, kind, others, [], isLast, progress, permit)
    }

    /// Records a page of policies with their content, as ``record(_:of:others:isLast:progress:under:)``.
    /// `unread` are those that are there and whose content could not be read: they are not gone. `cleared` are the
    /// ledger's keys of items that an earlier reading left in it, and that were read now.
    package func record(
        _ policies: [ReadPolicy], unread: [ListedPolicy], of kind: PolicyKind, others: [Ledger.Item],
        cleared: [String], isLast: Bool, progress: Ledger.Progress, under permit: ExecutionPermit
    ) async throws {
        let policies = policies.lastOfEach(\.listed.id)
        let unread = unread.lastOfEach(\.id)
        var calls: [(Statement, [Parameter])] = []
        if !policies.isEmpty {
            calls.append((Self.insertContents, Self.run(permit) + Self.contents(policies)))
            calls.append(
                (
                    Self.upsertRead,
                    Self.run(permit) + [.text(kind.rawValue)] + Self.columns(policies.map(\.listed))
                        + [.byteArrays(policies.map(\.hash))]
                ))
        }
        if !unread.isEmpty {
            calls.append(
                (Self.upsertListed, Self.run(permit) + [.text(kind.rawValue)] + Self.columns(unread)))
        }
        try await write(calls, kind, others, cleared, isLast, progress, permit)
    }

    private func write(
        _ calls: [(Statement, [Parameter])], _ kind: PolicyKind, _ others: [Ledger.Item], _ cleared: [String],
        _ isLast: Bool, _ progress: Ledger.Progress, _ permit: ExecutionPermit
    ) async throws {
        let gone = isLast ? [(Self.markGone, Self.run(permit) + [.text(kind.rawValue)])] : []
        try Ledger.checkMoved(
            await pool.pipeline(
                calls + gone
                    + Ledger.calls(others, cleared: cleared, progress: progress, under: permit)))
    }

    static func run(_ permit: ExecutionPermit) -> [Parameter] {
        [.uuid(permit.execution.runID.uuid), .int(permit.attempt)]
    }

    static func contents(_ policies: [ReadPolicy]) -> [Parameter] {
        let unique = policies.lastOfEach(\.hash)
        return [
            .byteArrays(unique.map(\.hash)), .byteArrays(unique.map(\.content)), .ints(unique.map(\.secrets)),
        ]
    }

    private static func columns(_ policies: [ListedPolicy]) -> [Parameter] {
        [
            .texts(policies.map(\.id)), .texts(policies.map(\.name)), .texts(policies.map(\.type)),
            .timestamps(policies.map(\.modifiedAt)), .byteArrays(policies.map(\.listedHash)),
        ]
    }

    /// What a run saw, found changed in the lists (or new, or back), and found gone.
    package func listedTally(of run: QueuedExecution) async throws -> InventoryTally {
        try await pool.query(
            """
            SELECT count(*) FILTER (WHERE seen_run = $3::uuid), count(*) FILTER (WHERE changed_run = $3::uuid),
                   count(*) FILTER (WHERE gone_run = $3::uuid)
            FROM inventory_policies WHERE tenant_id = $1::uuid AND connection_id = $2::uuid
            """, Self.scope(run)
        ).map(InventoryTally.init)[0]
    }

    /// What a run read, found with another content than before (or new), and found gone.
    package func versionTally(of run: QueuedExecution) async throws -> InventoryTally {
        try await pool.query(
            """
            SELECT count(*) FILTER (WHERE read_run = $3::uuid), count(*) FILTER (WHERE version_run = $3::uuid),
                   count(*) FILTER (WHERE gone_run = $3::uuid)
            FROM inventory_policies WHERE tenant_id = $1::uuid AND connection_id = $2::uuid
            """, Self.scope(run)
        ).map(InventoryTally.init)[0]
    }

    private static func scope(_ run: QueuedExecution) -> [Parameter] {
        [.uuid(run.tenantID.uuid), .uuid(run.connectionID.uuid), .uuid(run.runID.uuid)]
    }
}
