package import Postgres

/// Seals what the audit has recorded: a block over the records of each workspace, chained to the block before it.
///
/// A record is final when no transaction that may have written one before it is under way; what is final is sealed. Any
/// number of processes may seal: one at a time does, and the others find nothing to do.
///
/// Transactions are numbered by the server. A database that was restored on another one has to be settled there first:
/// until then sealing throws ``StoreError/notSettled``.
package struct AuditSeals: Sendable {
    /// About how many records are sealed at once; those of one transaction stay together.
    package static let batchLimit = 10_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // Statements of their own: one that waited for a lock would go on with what it saw before.

    private static let lock: Statement = """
        SELECT server IS NOT DISTINCT FROM audit_server() AS is_here
        FROM audit_horizon FOR UPDATE SKIP LOCKED
        """

    private static let lockPatiently: Statement = """
        SELECT server IS NOT DISTINCT FROM audit_server() AS is_here
        FROM audit_horizon FOR UPDATE
        """

    private static let holdWriters: Statement = "LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE"

    /// A batch; or, when the server is another one, all that the one before had left, and what was recorded here since.
    private static let seal: Statement = """
        WITH bounds AS (
            SELECT h.sealed_before AS low, h.begun_after, h.first_id,
                   CASE WHEN $2::bool THEN pg_snapshot_xmin(pg_current_snapshot())
                   ELSE greatest(h.sealed_before, least(
                       pg_snapshot_xmin(pg_current_snapshot()),
                       -- Behind the transaction that fills the batch.
                       (SELECT (a.xact::text::bigint + 1)::text::xid8 FROM audit a
                        WHERE a.xact >= h.sealed_before AND a.xact < pg_snapshot_xmin(pg_current_snapshot())
                          AND a.id >= h.first_id
                        ORDER BY a.xact OFFSET $1::int LIMIT 1))) END AS high
            FROM audit_horizon h
        ), final AS (
            SELECT a.workspace_id, a.id, audit_digest(a) AS digest
            FROM audit a, bounds b WHERE NOT $2 AND a.xact >= b.low AND a.xact < b.high AND a.id >= b.first_id
            UNION ALL
            -- What was recorded here may have a number that is behind the other server's horizon.
            SELECT a.workspace_id, a.id, audit_digest(a)
            FROM bounds b, (SELECT coalesce(max(ids[cardinality(ids)]), 0) AS id FROM audit_blocks WHERE $2) newest, audit a
            WHERE $2 AND a.id >= b.first_id AND (a.xact >= b.low OR a.id > newest.id)
        ), fresh AS (
            SELECT workspace_id, array_agg(id ORDER BY id) AS ids,
                   string_agg(int8send(id), ''::bytea ORDER BY id) AS id_bytes,
                   string_agg(digest, ''::bytea ORDER BY id) AS digests
            FROM final GROUP BY workspace_id
        ), linked AS (
            SELECT f.*, coalesce(p.number, 0) + 1 AS number,
                   coalesce(p.hash, decode(repeat('00', 32), 'hex')) AS previous
            FROM fresh f LEFT JOIN LATERAL (
                SELECT number, hash FROM audit_blocks k WHERE k.workspace_id = f.workspace_id
                ORDER BY number DESC LIMIT 1
            ) p ON true
        ), sealed AS (
            INSERT INTO audit_blocks (workspace_id, number, begun_after, ids, digests, hash)
            SELECT l.workspace_id, l.number, b.begun_after, l.ids, l.digests,
                   sha256(l.previous || uuid_send(l.workspace_id) || int8send(l.number)
                          || int8send((extract(epoch FROM b.begun_after) * 1000000)::bigint) || l.id_bytes || l.digests)
            FROM linked l, bounds b
            RETURNING cardinality(ids) AS count
        ), moved AS (
            UPDATE audit_horizon h
            SET sealed_before = b.high,
                begun_after = CASE WHEN b.high >= h.mark_xact AND NOT $2 THEN h.mark_at ELSE h.begun_after END,
                mark_xact = CASE WHEN b.high >= h.mark_xact OR $2 THEN pg_snapshot_xmax(pg_current_snapshot())
                                 ELSE h.mark_xact END,
                mark_at = CASE WHEN b.high >= h.mark_xact OR $2 THEN statement_timestamp() ELSE h.mark_at END,
                first_id = CASE WHEN $2 THEN (SELECT coalesce(max(id), 0) + 1 FROM audit) ELSE h.first_id END,
                server = CASE WHEN $2 THEN audit_server() ELSE h.server END
            FROM bounds b
        )
        SELECT coalesce(sum(count), 0)::int AS count FROM sealed
        """

    /// Seals what is final, one batch after the other. Returns how many records were sealed.
    package func seal() async throws -> Int {
        var sealed = 0
        while true {
            let count = try await sealBatch()
            sealed += count
            if count < Self.batchLimit { return sealed }
        }
    }

    private func sealBatch() async throws -> Int {
        try await pool.transaction { transaction in
            guard let horizon = try await transaction.query(Self.lock).first else { return 0 }
            guard try horizon.bool("is_here") else { throw StoreError.notSettled }
            let sealed = try await transaction.finish(Self.seal, [.int(Self.batchLimit), .bool(false)])
            return try sealed[0].int("count")
        }
    }

    /// Lets the audit go on when the database has come to another server: seals what the one before had left, and counts
    /// by this server's transactions from then on. Where it is settled already it does nothing.
    ///
    /// It waits for whoever is writing records, and lets nobody write meanwhile: only the database's owner may.
    package func settle() async throws {
        try await pool.transaction { transaction in
            guard try await !transaction.query(Self.lockPatiently)[0].bool("is_here") else { return }
            _ = try await transaction.query(Self.holdWriters)
            _ = try await transaction.query(Self.seal, [.int(Self.batchLimit), .bool(true)])
        }
    }
}
