internal import FoundationEssentials
internal import Operations
package import Postgres

/// Puts right what a lost worker left behind. The only repairer (H9); several may run at once.
package struct RunRepair: Sendable {
    /// The most runs that are repaired in one transaction.
    package static let batchLimit = 200

    private let pool: PostgresPool
    private let writer: TransitionWriter
    private let chunks: ChunkWriter

    package init(pool: PostgresPool, outboxLeaseSeconds: Double) {
        self.pool = pool
        chunks = ChunkWriter(outboxLeaseSeconds: outboxLeaseSeconds)
        writer = TransitionWriter(outboxLeaseSeconds: outboxLeaseSeconds)
    }

    private static let expired: Statement = """
        SELECT id FROM workers WHERE ended_at IS NULL AND lease_until < clock_timestamp()
        """

    private static let lockWorker: Statement = "SELECT pg_advisory_xact_lock(authority_lock($1::uuid))"

    private static let endWorker: Statement = """
        UPDATE workers SET ended_at = clock_timestamp()
        WHERE id = $1::uuid AND ended_at IS NULL AND lease_until < clock_timestamp()
        """

    /// Declares workers whose lease has run out ended. Under the worker's lock, which everything that the
    /// worker begins or opens holds shared: afterwards it begins and opens nothing. Returns how many ended.
    package func endLostWorkers() async throws -> Int {
        var ended = 0
        for row in try await pool.query(Self.expired) {
            let id = Parameter.uuid(try row.uuid("id"))
            ended += try await pool.transaction { transaction in
                try await transaction.pipeline([(Self.lockWorker, [id]), (Self.endWorker, [id])])[1].affected
            }
        }
        return ended
    }

    private static let orphans: Statement = """
        SELECT r.id FROM runs r
        JOIN workers w ON w.id = r.worker_id AND w.ended_at IS NOT NULL
        WHERE r.completed_at IS NULL AND r.state = 'running'
          -- A change that may still be on the wire must have come to rest before it is looked up.
          AND (r.operation <> ALL ($1::text[]) OR NOT EXISTS (
               SELECT FROM call_permits p WHERE p.run_id = r.id AND p.closed_at IS NULL
                 AND p.deadline > clock_timestamp()))
        ORDER BY r.id LIMIT $2::int
        FOR UPDATE OF r SKIP LOCKED
        """

    /// Queues the next attempt of every run whose worker has ended, or ends the run when that happened too
    /// often. Returns the messages that may be published now.
    package func repairOrphans() async throws -> [PendingMessage] {
        let writes = OperationCatalogue.all.filter { $0.effect == .write }.map(\.type.rawValue)
        return try await pool.transaction { transaction in
            let rows = try await transaction.query(
                Self.orphans, [.texts(writes), .int(Self.batchLimit)])
            guard !rows.isEmpty else { return [] }
            let ids = Parameter.uuids(try rows.map { try $0.uuid("id") })
            let readings = try await transaction.query(AuthorityReading.facts, [ids, .null])
                .map(AuthorityReadingRow.init)
            let now = readings.first?.facts.readAt ?? Date()
            let transitions = readings.map { RunTransition.repair($0.run, now: now) }
            let (statement, parameters) = writer.call(transitions, completedAt: now)
            let written = try await transaction.finish(statement, parameters)
            return try writer.outcomes(written, of: transitions).compactMap(\.pending)
        }
    }

    private static let orphanedChunks: Statement = """
        SELECT k.run_id, k.chunk, k.attempt FROM run_chunks k
        JOIN workers w ON w.id = k.worker_id AND w.ended_at IS NOT NULL
        WHERE k.state = 'running'
          -- A change that may still be on the wire must have come to rest before it is looked up.
          AND NOT EXISTS (
              SELECT FROM call_permits p WHERE p.run_id = k.run_id AND p.chunk = k.chunk AND p.closed_at IS NULL
                AND p.deadline > clock_timestamp())
        ORDER BY k.run_id, k.chunk LIMIT $1::int
        """

    /// Queues the next attempt of every chunk whose worker has ended, or ends the chunk when that happened too often.
    /// Returns the messages that may be published now.
    package func repairOrphanedChunks() async throws -> [PendingMessage] {
        let orphans = try await pool.query(Self.orphanedChunks, [.int(Self.batchLimit)]).map { row in
            JobMessage(
                runID: RunID(try row.uuid("run_id")), chunk: try row.int("chunk"),
                attempt: try row.int("attempt"))
        }
        guard !orphans.isEmpty else { return [] }
        return try await pool.transaction { transaction in
            let reading = try await ChunkService.Reading(
                orphans, worker: nil, lockAuthority: false, transaction)
            let lost = orphans.compactMap { reading.chunk($0)?.snapshot }.filter { $0.state == .running }
            guard !lost.isEmpty else { return [] }
            return try await chunks.write(
                lost.map(ChunkTransition.repair), of: reading.runs, now: reading.now, transaction
            ).messages
        }
    }

    private static let resolve: Statement = """
        UPDATE call_permits SET closed_at = clock_timestamp(), in_doubt = true
        WHERE closed_at IS NULL AND deadline < clock_timestamp() - interval '5 seconds'
        """

    /// Closes the permits that were left open past their deadline, as in doubt: their holder was lost, or never
    /// learned how the call ended. Returns how many.
    package func resolvePermits() async throws -> Int {
        try await pool.query(Self.resolve).affected
    }

    private static let remind: Statement = """
        WITH lost AS (
            SELECT r.id, r.attempt, r.traceparent, r.operation FROM runs r
            WHERE r.completed_at IS NULL AND r.state = 'queued'
              AND coalesce(r.next_attempt_at, r.queued_at) < clock_timestamp() - make_interval(secs => $1::float8)
              AND NOT EXISTS (SELECT FROM outbox o WHERE o.run_id = r.id)
            ORDER BY r.id LIMIT $2::int FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE runs r SET next_attempt_at = clock_timestamp() FROM lost WHERE r.id = lost.id
        RETURNING r.id, r.attempt, r.traceparent, r.operation
        """

    private static let remindChunks: Statement = """
        WITH lost AS (
            SELECT k.run_id, k.chunk, r.traceparent, r.operation FROM run_chunks k
            JOIN runs r ON r.id = k.run_id
            WHERE k.state = 'queued'
              AND coalesce(k.next_attempt_at, k.rung_at) < clock_timestamp() - make_interval(secs => $1::float8)
              AND NOT EXISTS (
                  SELECT FROM outbox o WHERE o.run_id = k.run_id
                    AND o.message_id = k.run_id || ':' || k.chunk || ':' || k.attempt)
            ORDER BY k.run_id, k.chunk LIMIT $2::int FOR UPDATE OF k SKIP LOCKED
        )
        UPDATE run_chunks k SET rung_at = clock_timestamp(), next_attempt_at = NULL FROM lost
        WHERE k.run_id = lost.run_id AND k.chunk = lost.chunk
        RETURNING k.run_id AS id, k.chunk, k.attempt, lost.traceparent, lost.operation
        """

    private static let ring: Statement = """
        INSERT INTO outbox (due_at, route, message_id, run_id, body)
        SELECT clock_timestamp(), * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[])
        """

    /// Rings again for runs that were queued or due longer than `seconds` ago and have no message in the
    /// outbox: the broker may have lost them. A surplus message is a duplicate and does nothing.
    /// Returns how many.
    package func remind(after seconds: Double) async throws -> Int {
        try await pool.transaction { transaction in
            let limits: [Parameter] = [.double(seconds), .int(Self.batchLimit)]
            let lost = try await transaction.pipeline([(Self.remind, limits), (Self.remindChunks, limits)])
            var routes: [String] = []
            var jobs: [JobMessage] = []
            var bodies: [[UInt8]] = []
            for (index, row) in lost.enumerated().flatMap({ index, rows in rows.map { (index, $0) } }) {
                guard let definition = OperationCatalogue.definition(named: try row.text("operation")) else {
                    continue
                }
                let job = JobMessage(
                    runID: RunID(try row.uuid("id")), chunk: index == 0 ? nil : try row.int("chunk"),
                    attempt: try row.int("attempt"))
                routes.append(OutboxMessage.Route.job(definition.family).name)
                jobs.append(job)
                bodies.append(job.body(traceparent: try row.textOrNil("traceparent")))
            }
            try transaction.enqueue(
                Self.ring,
                [
                    .texts(routes), .texts(jobs.map(\.messageID)), .uuids(jobs.map(\.runID.uuid)),
                    .byteArrays(bodies),
                ])
            return jobs.count
        }
    }
}
