internal import Operations
package import Postgres

/// The committed messages that wait to be published.
package struct OutboxStore: Sendable {
    /// How many rows one claim takes at most.
    package static let claimLimit = 500

    private let pool: PostgresPool
    private let leaseSeconds: Double
    private let deletions: GroupCommit<Int, Void>

    /// `leaseSeconds`: how long a claimed row belongs to its claimer.
    package init(pool: PostgresPool, leaseSeconds: Double) {
        self.pool = pool
        self.leaseSeconds = leaseSeconds
        deletions = GroupCommit(limit: 2_000) { ids in
            _ = try await pool.query("DELETE FROM outbox WHERE id = ANY ($1::bigint[])", [.ints(ids)])
            return ids.map { _ in }
        }
    }

    private static let claim: Statement = """
        UPDATE outbox o SET due_at = clock_timestamp() + make_interval(secs => $1::float8)
        FROM (SELECT id FROM outbox WHERE due_at <= statement_timestamp() AND route = ANY ($3::text[])
              ORDER BY due_at LIMIT $2::int FOR UPDATE SKIP LOCKED) AS due
        WHERE o.id = due.id
        RETURNING o.id, o.route, o.message_id, o.run_id, o.body
        """

    /// Takes messages that are due and nobody else's: the delayed ones whose time has come, and those whose
    /// writer was lost.
    package func claimDue(routes: [String]) async throws -> [PendingMessage] {
        try await pool.query(
            Self.claim, [.double(leaseSeconds), .int(Self.claimLimit), .texts(routes)]
        ).map { row in
            PendingMessage(
                outboxID: try row.int("id"), route: try row.text("route"),
                messageID: try row.text("message_id"), runID: RunID(try row.uuid("run_id")),
                body: try row.bytes("body"))
        }
    }

    /// Forgets messages that the broker has confirmed.
    package func delete(_ ids: [Int]) async throws {
        for result in await deletions.submit(ids) { try result.get() }
    }

    private static let putOff: Statement = """
        UPDATE outbox SET due_at = clock_timestamp() + make_interval(secs => $2::float8) WHERE id = ANY ($1::bigint[])
        """

    /// Gives back messages that the broker certainly has not: anybody may publish them, in so many seconds.
    package func giveBack(_ ids: [Int], forSeconds seconds: Double) async throws {
        guard !ids.isEmpty else { return }
        _ = try await pool.query(Self.putOff, [.ints(ids), .double(seconds)])
    }
}
