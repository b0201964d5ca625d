internal import JSON
package import FoundationEssentials
package import Operations
package import Postgres

/// Leave for exactly one provider call, durable before it is handed out (H4).
///
/// It can't be copied: the gateway consumes it with the call. Only ``CallPermits`` makes one, and only from what
/// the gate allowed.
package struct CallPermit: ~Copyable, Sendable {
    /// The permit's row, and the `client-request-id` of the call.
    package let id: CallID
    /// The run that calls.
    package let execution: QueuedExecution
    /// When the call must have ended. Counted on this machine's monotonic clock from before the permit was
    /// opened, so it is never later than the deadline in the database.
    package let endsBy: ContinuousClock.Instant
    /// Which of the connection's credentials held when the permit was opened: the call may use no other.
    package let credentialVersion: Int?

    fileprivate init(
        id: CallID, allowed: AllowedCall, endsBy: ContinuousClock.Instant, credentialVersion: Int?
    ) {
        self.id = id
        self.credentialVersion = credentialVersion
        execution = allowed.execution.execution
        self.endsBy = endsBy
    }
}

/// Why no call permit was opened.
package enum CallRefusal: Error, Sendable {
    /// The gate said no; the refusal is audited.
    case denied(LegitimacyDecision)
    /// A person asked to stop the run.
    case cancelled
    /// The run was taken away from this worker (its lease ended, or the attempt is over).
    case attemptLost
}

/// Opens and closes call permits, in groups: however many calls begin at once, one transaction reads the facts
/// for all of them, asks the gate for each, and inserts the permits.
package struct CallPermits: Sendable {
    /// What must happen before a permit is handed out.
    enum Rule: Sendable {
        /// Read the facts under the authority lock and ask the gate.
        case ask
        /// Hand out what was allowed when the run began. For the negative control of the revocation test, which
        /// must find calls after a revoke; see ``withoutCheckForNegativeControl(pool:worker:)``.
        case skip
    }

    private struct Opening: Sendable {
        let id: CallID
        let permit: ExecutionPermit
        let call: String
        let seconds: Double
    }

    private struct Closing: Sendable {
        let id: CallID
        let status: Int?
    }

    private enum Answer: Sendable {
        case allowed(AllowedCall, credentialVersion: Int?)
        case refused(CallRefusal)
    }

    private let openings: GroupCommit<Opening, Answer>
    private let closings: GroupCommit<Closing, Void>
    private let makeID: @Sendable () -> UUID

    /// The permits of this process's worker.
    package init(
        pool: PostgresPool, worker: UUID, clock: DatabaseClock, makeID: @escaping @Sendable () -> UUID
    ) {
        self.init(pool: pool, worker: worker, clock: clock, makeID: makeID, rule: .ask)
    }

    /// Permits that are never refused: what the system would be without its check. Only a test asks for it.
    package static func withoutCheckForNegativeControl(
        pool: PostgresPool, worker: UUID, clock: DatabaseClock, makeID: @escaping @Sendable () -> UUID
    ) -> CallPermits {
        CallPermits(pool: pool, worker: worker, clock: clock, makeID: makeID, rule: .skip)
    }

    private init(
        pool: PostgresPool, worker: UUID, clock: DatabaseClock, makeID: @escaping @Sendable () -> UUID,
        rule: Rule
    ) {
        self.makeID = makeID
        openings = GroupCommit { openings in
            try await Self.open(openings, pool: pool, worker: worker, clock: clock, rule: rule)
        }
        closings = GroupCommit { closings in
            _ = try await pool.query(
                Self.close,
                [.uuids(closings.map(\.id.uuid)), .ints(closings.map(\.status))])
            return closings.map { _ in }
        }
    }

    /// Asks for leave to call. `call` names it for people (method and path template, without ids);
    /// `timeLimit` is how long the call may take in all, from now on.
    ///
    /// Throws ``CallRefusal``, or the database's error when the facts could not be read: then nothing is known
    /// and nothing may be called (H11).
    package func open(
        under permit: ExecutionPermit, call: String, timeLimit: Duration
    ) async throws -> CallPermit {
        let endsBy = ContinuousClock.now + timeLimit
        let opening = Opening(
            id: CallID(makeID()), permit: permit, call: call, seconds: timeLimit.seconds)
        switch try await openings.submit(opening) {
        case .allowed(let allowed, let version):
            return CallPermit(id: opening.id, allowed: allowed, endsBy: endsBy, credentialVersion: version)
        case .refused(let refusal): throw refusal
        }
    }

    /// Records that the call has ended: nothing of it is on the wire any more. `status` is the HTTP status,
    /// nil when none arrived. When this fails, the permit stays open and a revoke reports it as in doubt.
    package func close(_ id: CallID, status: Int?) async throws {
        try await closings.submit(Closing(id: id, status: status))
    }

    // MARK: statements

    private static let close: Statement = """
        UPDATE call_permits p SET closed_at = clock_timestamp(), http_status = c.status
        FROM unnest($1::uuid[], $2::int[]) AS c (id, status)
        WHERE p.id = c.id AND p.closed_at IS NULL
        """

    private static let insert: Statement = """
        INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id, connection_id,
                                  user_id, grant_id, call, chunk, opened_at, deadline)
        SELECT o.id, o.run_id, o.attempt, $9::uuid, o.workspace_id, o.tenant_id, o.connection_id, o.user_id,
               o.grant_id, o.call, o.chunk, clock_timestamp(), clock_timestamp() + make_interval(secs => o.seconds)
        FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[],
                    $8::uuid[], $10::text[], $11::float8[], $12::int[])
            AS o (id, run_id, attempt, workspace_id, tenant_id, connection_id, user_id, grant_id, call, seconds,
                  chunk)
        """

    /// The chunks of the runs in `$1` that the worker `$2` holds.
    private static let heldChunks: Statement = """
        SELECT run_id, chunk, attempt FROM run_chunks
        WHERE run_id = ANY ($1::uuid[]) AND worker_id = $2::uuid AND state = 'running'
        """

    private static let audit: Statement = """
        INSERT INTO audit (action, workspace_id, tenant_id, run_id, details)
        SELECT 'call.denied', * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::json[])
        """

    private static func open(
        _ openings: [Opening], pool: PostgresPool, worker: UUID, clock: DatabaseClock, rule: Rule
    ) async throws -> [Answer] {
        let runs = Parameter.uuids(Array(Set(openings.map(\.permit.execution.runID.uuid))))
        return try await pool.transaction { transaction in
            let facts = (AuthorityReading.facts, [runs, .uuid(worker)])
            var calls = [facts]
            if rule == .ask { calls.insert((AuthorityReading.lock, [runs, .uuid(worker)]), at: 0) }
            let hasChunks = openings.contains { $0.permit.chunk != nil }
            if hasChunks { calls.append((heldChunks, [runs, .uuid(worker)])) }
            var results = try await transaction.pipeline(calls)
            let held = hasChunks ? try results.removeLast().map(JobMessage.init(heldChunk:)) : []
            let rows = results.last!
            var readings: [RunID: AuthorityReadingRow] = [:]
            for row in rows {
                let reading = try AuthorityReadingRow(row)
                readings[reading.run.execution.runID] = reading
                clock.set(reading.facts.readAt)
            }
            let chunks = Set(held)
            let answers = openings.map {
                answer($0, readings[$0.permit.execution.runID], chunks, rule: rule)
            }
            try enqueuePermits(zip(openings, answers).compactMap(allowedOpening), worker, transaction)
            try enqueueAudit(answers.compactMap(deniedDecision), transaction)
            return answers
        }
    }

    private static func answer(
        _ opening: Opening, _ reading: AuthorityReadingRow?, _ heldChunks: Set<JobMessage>, rule: Rule
    ) -> Answer {
        let permit = opening.permit
        guard let reading, reading.isWorkerAlive, reading.run.state == .running,
            permit.chunk == nil
                ? reading.isMine && reading.run.attempt == permit.attempt : heldChunks.contains(permit.job)
        else { return .refused(.attemptLost) }
        let version = reading.credentialVersion
        if rule == .skip {
            return .allowed(LegitimacyGate.allowWithoutAsking(permit), credentialVersion: version)
        }
        if reading.run.cancelRequested { return .refused(.cancelled) }
        return switch LegitimacyGate.ruleOnCall(under: permit, facts: reading.facts) {
        case .allowed(let allowed, _): .allowed(allowed, credentialVersion: version)
        case .denied(_, let decision): .refused(.denied(decision))
        }
    }

    private static func allowedOpening(_ opening: Opening, _ answer: Answer) -> Opening? {
        if case .allowed = answer { opening } else { nil }
    }

    private static func deniedDecision(_ answer: Answer) -> LegitimacyDecision? {
        if case .refused(.denied(let decision)) = answer { decision } else { nil }
    }

    private static func enqueuePermits(
        _ openings: [Opening], _ worker: UUID, _ transaction: Transaction
    ) throws {
        guard !openings.isEmpty else { return }
        let runs = openings.map(\.permit.execution)
        try transaction.enqueue(
            insert,
            [
                .uuids(openings.map(\.id.uuid)), .uuids(runs.map(\.runID.uuid)),
                .ints(openings.map(\.permit.attempt)), .uuids(runs.map(\.workspaceID.uuid)),
                .uuids(runs.map(\.tenantID.uuid)), .uuids(runs.map(\.connectionID.uuid)),
                .uuids(runs.map(\.initiatorID?.uuid)), .uuids(runs.map(\.context?.grantID?.uuid)),
                .uuid(worker), .texts(openings.map(\.call)), .doubles(openings.map(\.seconds)),
                .ints(openings.map(\.permit.chunk)),
            ])
    }

    private static func enqueueAudit(_ denied: [LegitimacyDecision], _ transaction: Transaction) throws {
        guard !denied.isEmpty else { return }
        let runs = denied.map(\.execution)
        try transaction.enqueue(
            audit,
            [
                .uuids(runs.map(\.workspaceID.uuid)), .uuids(runs.map(\.tenantID.uuid)),
                .uuids(runs.map(\.runID.uuid)), .jsons(denied.map(\.json.text)),
            ])
    }
}

extension ExecutionPermit {
    /// The attempt that it is for.
    var job: JobMessage { JobMessage(runID: execution.runID, chunk: chunk, attempt: attempt) }
}

extension JobMessage {
    fileprivate init(heldChunk row: Row) throws {
        self.init(
            runID: RunID(try row.uuid("run_id")), chunk: try row.int("chunk"), attempt: try row.int("attempt")
        )
    }
}
