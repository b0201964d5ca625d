internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Stops runs at a person's wish: what waits ends at once, what executes is asked to stop.
package struct RunCancellation: Sendable {
    /// What came of the wish.
    package enum Answer: Sendable {
        /// It was waiting and is now completed (cancelled); the message may be published.
        case ended(PendingMessage?)
        /// It executes: its worker opens no further call, and ends it.
        case requested
        /// It had ended before: nothing was changed.
        case tooLate
    }

    private let pool: PostgresPool
    private let writer: TransitionWriter
    private let chunks: ChunkWriter

    package init(pool: PostgresPool, outboxLeaseSeconds: Double) {
        self.pool = pool
        chunks = ChunkWriter(outboxLeaseSeconds: outboxLeaseSeconds)
        writer = TransitionWriter(outboxLeaseSeconds: outboxLeaseSeconds)
    }

    private static let lock: Statement = "SELECT id FROM runs WHERE id = $1::uuid FOR UPDATE"

    private static let request: Statement = """
        WITH asked AS (
            UPDATE runs SET cancel_requested = true WHERE id = $1::uuid
            RETURNING id, workspace_id, tenant_id
        )
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, run_id, details)
        SELECT $2, workspace_id, tenant_id, $3::uuid, id, '{}' FROM asked
        """

    /// Nothing, of a run that is not divided.
    private static let stopChunks: Statement = """
        UPDATE run_chunks SET state = 'ended', ended_at = clock_timestamp(), next_attempt_at = NULL,
                              reason_code = 'cancelled'
        WHERE run_id = $1::uuid AND state IN ('planned', 'queued')
        RETURNING run_id, chunk, state
        """

    /// Throws ``StoreError/notFound(_:)`` when there is no such run.
    package func cancel(_ run: RunID, by user: UserID) async throws -> Answer {
        try await pool.transaction { transaction in
            let id = Parameter.uuid(run.uuid)
            let rows = try await transaction.pipeline([
                (Self.lock, [id]), (AuthorityReading.facts, [.uuids([run.uuid]), .null]),
            ])[1]
            guard let reading = try rows.first.map(AuthorityReadingRow.init) else {
                throw StoreError.notFound("run")
            }
            guard reading.run.state != .completed else { return .tooLate }
            try transaction.enqueue(
                Self.request, [id, .text(AuditAction.runCancelRequested.rawValue), .uuid(user.uuid)])
            let now = reading.facts.readAt
            guard reading.run.state == .queued else {
                // Chunks that wait end at once; those under way open no further call.
                let settled = try await chunks.settle(
                    [reading.run], after: [(Self.stopChunks, [id])], now: now, transaction)
                return settled.outcomes.isEmpty ? .requested : .ended(settled.messages.first)
            }
            let transitions = [RunTransition.cancel(reading.run, now: now)]
            let (statement, parameters) = writer.call(transitions, completedAt: now)
            let written = try await transaction.finish(statement, parameters)
            guard case .written(_, let message) = try writer.outcomes(written, of: transitions)[0] else {
                return .tooLate
            }
            return .ended(message)
        }
    }
}
