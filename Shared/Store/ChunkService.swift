package import FoundationEssentials
package import Operations
package import Postgres

/// Begins and ends the chunks of divided runs, by the rules of runs: gate and begin are one transaction, each change
/// is conditional on the attempt and the worker that it believes in. Both halves commit in groups.
package struct ChunkService: Sendable {
    /// What the end of an attempt came to.
    package enum Ending: Sendable {
        /// The chunk was taken away from this worker before.
        case stale
        /// It is committed: the run's outcome, if the run has ended by it, and what may be published now.
        case written(outcome: RunOutcome?, [PendingMessage])
    }

    private struct Finished: Sendable {
        let permit: ExecutionPermit
        let result: ExecutionResult
    }

    private let pool: PostgresPool
    private let worker: UUID
    private let writer: ChunkWriter
    private let beginnings: GroupCommit<JobMessage, RunService.Beginning>
    private let endings: GroupCommit<Finished, Ending>

    /// The chunks of one family's runs, executed by the worker of this process. `random` gives numbers in 0..<1.
    package init(
        pool: PostgresPool, worker: UUID, family: OperationFamily, clock: DatabaseClock,
        outboxLeaseSeconds: Double, random: @escaping @Sendable () -> Double
    ) {
        self.pool = pool
        self.worker = worker
        let writer = ChunkWriter(outboxLeaseSeconds: outboxLeaseSeconds)
        self.writer = writer
        beginnings = GroupCommit { jobs in
            try await Self.begin(
                jobs, family: family, pool: pool, worker: worker, clock: clock, writer: writer, random: random
            )
        }
        endings = GroupCommit { endings in
            try await Self.finish(endings, pool: pool, worker: worker, writer: writer, random: random)
        }
    }

    /// Reads the facts, asks the gate and begins (or refuses) each chunk, all in one transaction per batch. Every job
    /// names a chunk.
    package func begin(_ jobs: [JobMessage]) async -> [Result<RunService.Beginning, any Error>] {
        await beginnings.submit(jobs)
    }

    /// Commits what an attempt of a chunk came to.
    package func finish(_ permit: ExecutionPermit, _ result: ExecutionResult) async throws -> Ending {
        try await endings.submit(Finished(permit: permit, result: result))
    }

    /// Gives back chunks that this worker holds at the jobs' attempts without knowing it: their `begin` was
    /// committed, and the answer was lost. Returns the messages that may be published now.
    package func release(_ jobs: [JobMessage]) async throws -> [PendingMessage] {
        guard !jobs.isEmpty else { return [] }
        return try await pool.transaction { transaction in
            let reading = try await Reading(jobs, worker: worker, lockAuthority: false, transaction)
            let held = jobs.compactMap { reading.chunk($0) }.filter {
                $0.isMine && $0.snapshot.state == .running
            }
            guard !held.isEmpty else { return [] }
            return try await writer.write(
                held.map { .repair($0.snapshot) }, of: reading.runs, heldBy: worker, now: reading.now,
                transaction
            ).messages
        }
    }

    // MARK: begin

    private static func begin(
        _ jobs: [JobMessage], family: OperationFamily, pool: PostgresPool, worker: UUID,
        clock: DatabaseClock, writer: ChunkWriter, random: @Sendable () -> Double
    ) async throws -> [RunService.Beginning] {
        try await pool.transaction { transaction in
            var reading = try await Reading(jobs, worker: worker, lockAuthority: true, transaction)
            if let present = reading.present {
                clock.set(present)
                guard reading.isWorkerAlive else { throw StoreError.workerEnded }
            }
            let plans = jobs.map { plan($0, &reading, family: family, random: random()) }
            let transitions = plans.compactMap(\.transition)
            guard !transitions.isEmpty else { return plans.map(\.otherwise) }
            let written = try await writer.write(
                transitions, of: reading.runs, worker: worker, now: reading.now, transaction)
            // One beginning hands over what all of them left.
            var messages = written.messages[...]
            return plans.map { plan in
                guard let transition = plan.transition,
                    written.changed.contains(transition.key)
                else { return plan.otherwise }
                if let permit = plan.permit { return .execute(transition.chunk.run, permit) }
                defer { messages = [] }
                guard let denial = plan.denial else {
                    return .cancelled(transition.chunk.run, Array(messages))
                }
                return .refused(
                    transition.chunk.run, denial, ended: transition.to == .ended, Array(messages))
            }
        }
    }

    private struct Plan {
        var transition: ChunkTransition?
        var permit: ExecutionPermit?
        var denial: DenialReason?
        var otherwise: RunService.Beginning = .duplicate
    }

    private static func plan(
        _ job: JobMessage, _ reading: inout Reading, family: OperationFamily, random: Double
    ) -> Plan {
        guard let found = reading.chunk(job, ofAnyAttempt: true) else { return Plan(otherwise: .unknown) }
        let chunk = found.snapshot
        let run = chunk.run
        let operation = OperationCatalogue.definition(named: run.execution.operation)
        if let operation, operation.family != family { return Plan(otherwise: .misrouted) }
        // A forged bell must not use up the attempts of a chunk that waits; the due one rings by itself.
        guard run.state == .running, chunk.state == .queued, chunk.attempt == job.attempt, !found.isEarly,
            let facts = reading.facts(of: job.runID)
        else { return Plan() }
        reading.use(job)
        if run.cancelRequested { return Plan(transition: .cancel(chunk)) }
        switch LegitimacyGate.rule(
            onChunk: chunk.chunk, of: run.execution, attempt: chunk.attempt, facts: facts)
        {
        case .allowed(let permit, _): return Plan(transition: .begin(chunk), permit: permit)
        case .denied(let reason, let decision):
            return Plan(
                transition: .deny(chunk, decision, reason: reason, now: reading.now, random: random),
                denial: reason)
        }
    }

    // MARK: finish

    private static func finish(
        _ finished: [Finished], pool: PostgresPool, worker: UUID, writer: ChunkWriter,
        random: @Sendable () -> Double
    ) async throws -> [Ending] {
        try await pool.transaction { transaction in
            let jobs = finished.map(\.permit.job)
            let reading = try await Reading(jobs, worker: worker, lockAuthority: false, transaction)
            let transitions = zip(jobs, finished).map { job, end -> ChunkTransition? in
                guard let chunk = reading.chunk(job), chunk.isMine, chunk.snapshot.state == .running else {
                    return nil
                }
                return .finish(chunk.snapshot, end.result, random: random())
            }
            let believed = transitions.compactMap(\.self)
            guard !believed.isEmpty else { return transitions.map { _ in .stale } }
            let written = try await writer.write(
                believed, of: reading.runs, heldBy: worker, now: reading.now, transaction)
            var messages = written.messages[...]
            var outcomes = written.outcomes
            return transitions.map { transition in
                guard let transition, written.changed.contains(transition.key) else { return .stale }
                defer { messages = [] }
                let run = transition.chunk.run.execution.runID
                return .written(outcome: outcomes.removeValue(forKey: run), Array(messages))
            }
        }
    }
}

extension ChunkService {
    /// Chunks with their runs and the facts, read under the locks of the runs.
    struct Reading {
        struct Chunk {
            var snapshot: ChunkSnapshot
            let isMine: Bool
            let isEarly: Bool
        }

        private var chunks: [ChunkWriter.ChunkKey: Chunk] = [:]
        private var readings: [RunID: AuthorityReadingRow] = [:]
        /// The database's clock; nil when no run was found.
        private(set) var present: Date?

        private static let rows: Statement = """
            SELECT k.run_id, k.chunk, k.state, k.attempt, k.failed_attempts,
                   k.worker_id IS NOT DISTINCT FROM $3::uuid AS is_mine,
                   coalesce(k.next_attempt_at > clock_timestamp(), false) AS is_early,
                   r.parameters::text AS parameters
            FROM unnest($1::uuid[], $2::int[]) AS j (run_id, chunk)
            JOIN run_chunks k ON k.run_id = j.run_id AND k.chunk = j.chunk
            JOIN runs r ON r.id = k.run_id
            """

        init(
            _ jobs: [JobMessage], worker: UUID?, lockAuthority: Bool, _ transaction: Transaction
        ) async throws {
            let named = Array(Set(jobs.map { ChunkWriter.ChunkKey(run: $0.runID, chunk: $0.chunk ?? 0) }))
            let ids = Parameter.uuids(Array(Set(named.map(\.run.uuid))))
            let asking = worker.map(Parameter.uuid) ?? .null
            var calls: [(Statement, [Parameter])] = [(ChunkWriter.lockRuns, [ids])]
            if lockAuthority { calls.append((AuthorityReading.lock, [ids, asking])) }
            calls.append((AuthorityReading.facts, [ids, asking]))
            calls.append(
                (Self.rows, [.uuids(named.map(\.run.uuid)), .ints(named.map(\.chunk)), asking]))
            let results = try await transaction.pipeline(calls)
            for row in results[results.count - 2] {
                let reading = try AuthorityReadingRow(row)
                readings[reading.run.execution.runID] = reading
                present = reading.facts.readAt
            }
            for row in results.last! {
                let key = try ChunkWriter.ChunkKey(row)
                guard var run = readings[key.run]?.run else { continue }
                run.execution.parameters = try row.parameters("parameters")
                chunks[key] = Chunk(
                    snapshot: ChunkSnapshot(
                        run: run, chunk: key.chunk, state: try row.chunkState("state"),
                        attempt: try row.int("attempt"), failedAttempts: try row.int("failed_attempts")),
                    isMine: try row.bool("is_mine"), isEarly: try row.bool("is_early"))
            }
        }

        var now: Date { present ?? Date() }
        var runs: [RunSnapshot] { readings.values.map(\.run) }
        var isWorkerAlive: Bool { readings.values.allSatisfy(\.isWorkerAlive) }

        func facts(of run: RunID) -> AuthorityFacts? { readings[run]?.facts }

        /// The chunk that a job names; at another attempt only when that was asked for.
        func chunk(_ job: JobMessage, ofAnyAttempt: Bool = false) -> Chunk? {
            guard let chunk = job.chunk, let found = chunks[.init(run: job.runID, chunk: chunk)] else {
                return nil
            }
            return ofAnyAttempt || found.snapshot.attempt == job.attempt ? found : nil
        }

        /// Marks the chunk as begun in this batch, so that a second message for it finds it running.
        mutating func use(_ job: JobMessage) {
            chunks[.init(run: job.runID, chunk: job.chunk ?? 0)]?.snapshot.state = .running
        }
    }
}

extension ChunkTransition {
    var key: ChunkWriter.ChunkKey { .init(run: chunk.run.execution.runID, chunk: chunk.chunk) }
}

extension Row {
    fileprivate func chunkState(_ column: String) throws -> ChunkState {
        let word = try text(column)
        guard let state = ChunkState(rawValue: word) else { throw StoreError.unreadable(column, word) }
        return state
    }
}
