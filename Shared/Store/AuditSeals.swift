package import Postgres

/// Seals what the audit has recorded: a block over the records of each workspace, chained to the block before it.
///
/// A record is final when no transaction that may have written one before it is under way; what is final is sealed. Any
/// number of processes may seal: one at a time does, and the others find nothing to do.
package struct AuditSeals: Sendable {
    /// About how many records are sealed at once; those of one transaction stay together.
    package static let batchLimit = 10_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// A statement of its own: one that waited for a lock would go on with what it saw before.
    private static let lock: Statement = "SELECT FROM audit_horizon FOR UPDATE SKIP LOCKED"

    private static let seal: Statement = """
        WITH bounds AS (
            SELECT h.sealed_before AS low, h.begun_after,
                   greatest(h.sealed_before, least(
                       pg_snapshot_xmin(pg_current_snapshot()),
                       -- Behind the transaction that fills the batch.
                       (SELECT (a.xact::text::bigint + 1)::text::xid8 FROM audit a WHERE a.xact >= h.sealed_before
                        ORDER BY a.xact OFFSET $1::int LIMIT 1))) AS high
            FROM audit_horizon h
        ), fresh AS (
            SELECT a.workspace_id, array_agg(a.id ORDER BY a.id) AS ids,
                   string_agg(int8send(a.id), ''::bytea ORDER BY a.id) AS id_bytes,
                   string_agg(audit_digest(a), ''::bytea ORDER BY a.id) AS digests
            FROM audit a, bounds b WHERE a.xact >= b.low AND a.xact < b.high GROUP BY a.workspace_id
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
                begun_after = CASE WHEN b.high >= h.mark_xact THEN h.mark_at ELSE h.begun_after END,
                mark_xact = CASE WHEN b.high >= h.mark_xact THEN pg_snapshot_xmax(pg_current_snapshot())
                                 ELSE h.mark_xact END,
                mark_at = CASE WHEN b.high >= h.mark_xact THEN statement_timestamp() ELSE h.mark_at END
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
            guard try await !transaction.query(Self.lock).isEmpty else { return 0 }
            return try await transaction.finish(Self.seal, [.int(Self.batchLimit)])[0].int("count")
        }
    }
}
