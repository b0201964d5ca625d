package import Operations
package import Postgres

/// How much work is queued, for those who watch the system and scale it. Everything that decides is in the database, so
/// these are the true figures, whatever the broker's queues hold.
package struct QueueFigures: Sendable, Equatable {
    /// The runs of one family that have not ended.
    package struct Family: Sendable, Equatable {
        /// Queued, and nothing but a consumer is missing.
        package var due = 0
        /// Queued for later, because of a reason that may pass.
        package var waiting = 0
        package var running = 0
        /// Since when the oldest that is due could have begun, in seconds; 0 without one.
        package var oldestDueSeconds = 0.0

        package init() {}
    }

    /// All families, also those without runs.
    package var families: [OperationFamily: Family]
    /// The chunks of bulk runs that are due, and since when the oldest could have begun, in seconds.
    package var dueChunks: Int
    package var oldestChunkSeconds: Double
    /// Committed messages that nobody published in time, and for how long the oldest is overdue, in seconds.
    package var overdueMessages: Int
    package var oldestMessageSeconds: Double

    private static let runs: Statement = """
        SELECT operation, state = 'running' AS running, count(*) AS count,
               count(*) FILTER (WHERE due_at <= now()) AS due,
               coalesce(extract(epoch FROM now() - min(due_at))::float8, 0) AS oldest
        FROM (SELECT operation, state, coalesce(next_attempt_at, queued_at) AS due_at FROM runs
              WHERE completed_at IS NULL) AS active
        GROUP BY 1, 2
        """

    private static let chunks: Statement = """
        SELECT count(*) AS count, coalesce(extract(epoch FROM now() - min(due_at))::float8, 0) AS oldest
        FROM (SELECT coalesce(next_attempt_at, rung_at) AS due_at FROM run_chunks WHERE state = 'queued') AS queued
        WHERE due_at <= now()
        """

    private static let messages: Statement = """
        SELECT count(*) AS count, coalesce(extract(epoch FROM now() - min(due_at))::float8, 0) AS oldest
        FROM outbox WHERE due_at <= now()
        """

    /// Reads the figures; their cost grows with what has not ended, not with what has.
    package static func read(_ pool: PostgresPool) async throws -> QueueFigures {
        let results = try await pool.pipeline([(runs, []), (chunks, []), (messages, [])])
        var families: [OperationFamily: Family] = [:]
        for family in OperationFamily.allCases { families[family] = Family() }
        for row in results[0] {
            guard let family = OperationCatalogue.definition(named: try row.text("operation"))?.family else {
                continue
            }
            let (count, due) = (try row.int("count"), try row.int("due"))
            var figures = families[family, default: Family()]
            if try row.bool("running") {
                figures.running += count
            } else {
                figures.due += due
                figures.waiting += count - due
                figures.oldestDueSeconds = max(figures.oldestDueSeconds, try row.double("oldest"))
            }
            families[family] = figures
        }
        return QueueFigures(
            families: families, dueChunks: try results[1][0].int("count"),
            oldestChunkSeconds: try results[1][0].double("oldest"),
            overdueMessages: try results[2][0].int("count"),
            oldestMessageSeconds: try results[2][0].double("oldest"))
    }
}
