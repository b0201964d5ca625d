package import FoundationEssentials
package import Operations
package import Postgres

/// The only writer of a run's state and outcome (H6).
///
/// Both halves of an execution commit in groups: whatever arrived while the last commit was under way goes
/// into the next.
package struct RunService: Sendable {
    /// What beginning an attempt came to.
    package enum Beginning: Sendable {
        /// The gate allowed it and the run is running: the handler may be called.
        case execute(RunSnapshot, ExecutionPermit)
        /// The gate refused; the refusal is committed (blocked, or waiting for its next attempt).
        case refused(RunSnapshot, DenialReason, ended: Bool, [PendingMessage])
        /// Its stop was asked for while an earlier attempt executed: it has ended instead; the messages may be
        /// published.
        case cancelled(RunSnapshot, [PendingMessage])
        /// The message is of another attempt, or the run has ended: nothing to do.
        case duplicate
        /// There is no such run.
        case unknown
        /// The run belongs to another family's queue.
        case misrouted
    }

    private let pool: PostgresPool
    private let worker: UUID
    private let family: OperationFamily
    private let clock: DatabaseClock
    private let writer: TransitionWriter
    private let random: @Sendable () -> Double
    private let beginnings: GroupCommit<JobMessage, Beginning>
    private let endings: GroupCommit<Ending, WrittenTransition>

    private struct Ending: Sendable {
        let run: RunSnapshot
        let result: ExecutionResult
    }

    /// The runs of one family, executed by the worker of this process.
    package init(
        pool: PostgresPool, worker: UUID, family: OperationFamily, clock: DatabaseClock,
        outboxLeaseSeconds: Double, random: @escaping @Sendable () -> Double
    ) {
        self.pool = pool
        self.worker = worker
        self.family = family
        self.clock = clock
        self.random = random
        let writer = TransitionWriter(outboxLeaseSeconds: outboxLeaseSeconds)
        self.writer = writer
        beginnings = GroupCommit { jobs in
            try await Self.begin(
                jobs, family: family, pool: pool, worker: worker, clock: clock, writer: writer, random: random
            )
        }
        endings = GroupCommit { endings in
            let now = clock.now()
            let transitions = endings.map {
                RunTransition.finish($0.run, $0.result, now: now, random: random())
            }
            let (statement, parameters) = writer.call(transitions, heldBy: worker, completedAt: now)
            return try writer.outcomes(await pool.query(statement, parameters), of: transitions)
        }
    }

    /// Reads the facts, asks the gate and begins (or refuses) each run, all in one transaction per batch (H2).
    package func begin(_ jobs: [JobMessage]) async -> [Result<Beginning, any Error>] {
        await beginnings.submit(jobs)
    }

    /// Commits what an execution came to. `.stale` when the run was taken away from this worker.
    package func finish(_ run: RunSnapshot, _ result: ExecutionResult) async throws -> WrittenTransition {
        try await endings.submit(Ending(run: run, result: result))
    }

    /// Gives runs back that this worker holds at the jobs' attempts without knowing it: their `begin` was
    /// committed, and the answer was lost. Each comes back as its next attempt. Returns the messages that may be published now.
    package func release(_ jobs: [JobMessage]) async throws -> [PendingMessage] {
        guard !jobs.isEmpty else { return [] }
        let attempts = Set(jobs)
        let ids = Parameter.uuids(Array(Set(jobs.map(\.runID.uuid))))
        return try await pool.transaction { transaction in
            let rows = try await transaction.pipeline([
                (Self.lockRuns, [ids]), (AuthorityReading.facts, [ids, .uuid(worker)]),
            ])[1]
            let held = try rows.map(AuthorityReadingRow.init).filter { reading in
                reading.isMine && reading.run.state == .running && attempts.contains(reading.run.job)
            }
            guard !held.isEmpty else { return [] }
            let now = held[0].facts.readAt
            let transitions = held.map { RunTransition.repair($0.run, now: now) }
            let (statement, parameters) = writer.call(transitions, heldBy: worker, completedAt: now)
            let written = try await transaction.finish(statement, parameters)
            return try writer.outcomes(written, of: transitions).compactMap(\.pending)
        }
    }

    // MARK: begin

    /// No stronger than the change needs: a permit that opens on a run refers to its row, and must not wait here
    /// for who waits for the authority lock.
    private static let lockRuns: Statement =
        "SELECT id FROM runs WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

    /// A begin need not be on disk before the handler is called. All that follows from it is committed later, and a
    /// crash of the server never loses a commit without those after it: where it loses this one, no call permit of the
    /// attempt was committed, so none of its calls was made, and the run is queued as before.
    private static let commitWithoutWaiting: Statement =
        "SELECT set_config('synchronous_commit', 'off', true)"

    private static func begin(
        _ jobs: [JobMessage], family: OperationFamily, pool: PostgresPool, worker: UUID,
        clock: DatabaseClock, writer: TransitionWriter, random: @Sendable () -> Double
    ) async throws -> [Beginning] {
        let ids = Parameter.uuids(Array(Set(jobs.map(\.runID.uuid))))
        return try await pool.transaction { transaction in
            let results = try await transaction.pipeline([
                (lockRuns, [ids]),
                (AuthorityReading.lock, [ids, .uuid(worker)]),
                (AuthorityReading.facts, [ids, .uuid(worker)]),
            ])
            var readings: [RunID: AuthorityReadingRow] = [:]
            for row in results[2] {
                let reading = try AuthorityReadingRow(row)
                readings[reading.run.execution.runID] = reading
            }
            if let reading = readings.values.first {
                clock.set(reading.facts.readAt)
                guard reading.isWorkerAlive else { throw StoreError.workerEnded }
            }
            let now = clock.now()
            var plans = jobs.map { plan($0, &readings, family: family, now: now, random: random()) }
            let transitions = plans.compactMap(\.transition)
            if !transitions.isEmpty {
                if transitions.allSatisfy({ $0.to == .running }) {
                    try transaction.enqueue(Self.commitWithoutWaiting)
                }
                let (statement, parameters) = writer.call(transitions, worker: worker, completedAt: now)
                let rows = try await transaction.finish(statement, parameters)
                var written = try writer.outcomes(rows, of: transitions)[...]
                for index in plans.indices where plans[index].transition != nil {
                    plans[index].written = written.removeFirst()
                }
            }
            return plans.map(\.beginning)
        }
    }

    /// What is to be done about one message, and afterwards what was.
    private struct Plan {
        var transition: RunTransition?
        var written: WrittenTransition?
        var permit: ExecutionPermit?
        var run: RunSnapshot?
        var denial: DenialReason?
        var otherwise: Beginning = .duplicate

        var beginning: Beginning {
            guard let transition, let run, case .written(_, let message)? = written else { return otherwise }
            if let permit { return .execute(run, permit) }
            guard let denial else { return .cancelled(run, message.map { [$0] } ?? []) }
            return .refused(run, denial, ended: transition.to == .completed, message.map { [$0] } ?? [])
        }
    }

    /// A run is taken out of `readings` when a message uses it up: a second message for it in the same batch
    /// is a duplicate.
    private static func plan(
        _ job: JobMessage, _ readings: inout [RunID: AuthorityReadingRow], family: OperationFamily,
        now: Date, random: Double
    ) -> Plan {
        guard let reading = readings[job.runID] else { return Plan(otherwise: .unknown) }
        let run = reading.run
        let operation = OperationCatalogue.definition(named: run.execution.operation)
        if let operation, operation.family != family { return Plan(otherwise: .misrouted) }
        guard run.state == .queued, run.attempt == job.attempt else { return Plan(otherwise: .duplicate) }
        // A forged bell must not use up the attempts of a run that waits; the due one rings by itself.
        guard !reading.isEarly else { return Plan(otherwise: .duplicate) }
        readings[job.runID]?.use()
        if run.cancelRequested { return Plan(transition: .cancel(run, now: now), run: run) }
        switch LegitimacyGate.rule(on: run.execution, attempt: job.attempt, facts: reading.facts) {
        case .allowed(let permit, let decision):
            return Plan(transition: .begin(run, decision), permit: permit, run: run)
        case .denied(let reason, let decision):
            return Plan(
                transition: .deny(run, decision, reason: reason, now: now, random: random), run: run,
                denial: reason)
        }
    }
}
