package import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Turns schedules that are due into runs: the scheduler's side of the database. Any number of processes may fire at
/// once; each takes the schedules that no other holds, and a due moment is fired in the transaction that moves its
/// schedule on, so that it is fired once.
///
/// What was missed, because nobody fired or something was in the way, is not made up for: the latest due moment is
/// fired once, unless it is more than ``DueMoments/catchUpLimit`` ago, and the others are counted in the audit. While a run is active on the connection, the due moment is
/// tried again every ``pauseSeconds`` until the next one is due, and then skipped. Which run is made, and what a
/// refusal comes to, is for ``StartGate/firing(_:facts:families:runID:now:)`` to say.
package struct ScheduleFirings: Sendable {
    /// What one transaction did.
    package struct Result: Sendable {
        /// How many schedules were looked at; as many as ``batchLimit`` means that there may be more.
        package var looked = 0
        /// Runs that were queued, runs that were made blocked, and due moments that something is in the way of.
        package var queued = 0
        package var blocked = 0
        package var postponed = 0
        /// Due moments that passed without a run.
        package var skipped = 0
        /// What may be published now.
        package var messages: [PendingMessage] = []
    }

    /// The most schedules of one transaction.
    package static let batchLimit = 200
    /// How long after something was in the way a due moment is tried again, in seconds.
    package static let pauseSeconds = 10.0
    /// For how long a schedule is left alone that the database refuses to fire, or that can't be read, in seconds.
    private static let faultPauseSeconds = 300.0

    private let pool: PostgresPool
    private let families: Set<OperationFamily>
    private let outboxLeaseSeconds: Double
    private let makeID: @Sendable () -> UUID

    /// `families` are those whose consumers are deployed; `makeID` makes ids in the order of time.
    package init(
        pool: PostgresPool, families: Set<OperationFamily>, outboxLeaseSeconds: Double,
        makeID: @escaping @Sendable () -> UUID
    ) {
        self.pool = pool
        self.families = families
        self.outboxLeaseSeconds = outboxLeaseSeconds
        self.makeID = makeID
    }

    // MARK: statements

    /// `statement_timestamp()` stays the same throughout the statement, so that the index is read up to what is due.
    private static let due: Statement = """
        SELECT id FROM schedules WHERE enabled AND look_at <= statement_timestamp()
        ORDER BY look_at LIMIT $1::int
        """

    /// Those of `$1` that are due, or whatever is due.
    private static let take: Statement = """
        SELECT id, workspace_id, tenant_id, connection_id, operation, parameters::text AS parameters, cron, time_zone, user_id,
               next_due_at, waits_for, clock_timestamp() AS now
        FROM schedules
        WHERE enabled AND look_at <= statement_timestamp() AND ($1::uuid IS NULL OR id = $1::uuid)
        ORDER BY look_at LIMIT $2::int
        FOR UPDATE SKIP LOCKED
        """

    /// The runs that were refused at once: never queued for anybody to take, and told of like any other end.
    private static let block: Statement = """
        WITH fresh AS (
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[],
                                 $7::json[], $8::json[], $9::timestamptz[], $10::timestamptz[], $11::uuid[],
                                 $12::text[], $13::text[], $14::text[], $15::json[], $16::json[],
                                 $17::text[], $18::text[], $19::text[], $20::bytea[], $22::json[])
                AS f (id, workspace_id, tenant_id, connection_id, operation, initiator_id, context, legitimacy,
                      queued_at, expires_at, schedule_id, key, outcome, reason, queued_details, details,
                      action, route, message_id, body, parameters)
        ), made AS (
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, initiator_id, context,
                              queued_at, expires_at, schedule_id, parameters, state, outcome, reason_code,
                              attempt, completed_at)
            SELECT id, workspace_id, tenant_id, connection_id, operation, initiator_id,
                   context::jsonb || jsonb_build_object('legitimacy', legitimacy), queued_at, expires_at, schedule_id,
                   parameters, 'completed', outcome, reason, 1, queued_at
            FROM fresh
        ), keyed AS (
            INSERT INTO start_keys (caller_id, key, run_id, operation, connection_id)
            SELECT schedule_id, key, id, operation, connection_id FROM fresh
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, run_id, details)
            SELECT e.action, workspace_id, tenant_id, e.actor_id, id, e.details
            FROM fresh CROSS JOIN LATERAL (VALUES
                (1, 'run.queued', initiator_id, queued_details), (2, fresh.action, NULL, fresh.details)
            ) AS e (place, action, actor_id, details)
            ORDER BY id, e.place
        )
        INSERT INTO outbox (due_at, route, message_id, run_id, body)
        SELECT clock_timestamp() + make_interval(secs => $21::float8), route, message_id, id, body FROM fresh
        RETURNING id, run_id
        """

    private static let advance: Statement = """
        WITH moved AS (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::json[])
                AS m (id, due_at, look_at, waits_for, skipped)
        ), changed AS (
            UPDATE schedules s SET next_due_at = m.due_at, look_at = m.look_at, waits_for = m.waits_for
            FROM moved m WHERE s.id = m.id
            RETURNING s.id, s.workspace_id, s.tenant_id
        )
        INSERT INTO audit (action, workspace_id, tenant_id, details)
        SELECT $6, c.workspace_id, c.tenant_id, m.skipped
        FROM moved m JOIN changed c USING (id) WHERE m.skipped IS NOT NULL
        """

    private static let leave: Statement = """
        UPDATE schedules SET look_at = clock_timestamp() + make_interval(secs => $2::float8)
        WHERE id = $1::uuid AND enabled
        """

    // MARK: firing

    /// Fires what is due, at most ``batchLimit`` schedules, in one transaction. When the database refuses one of them,
    /// they are fired one by one, and the bad one is left alone for a while and thrown once the others are fired.
    package func fire() async throws -> Result {
        let ids = try await pool.query(Self.due, [.int(Self.batchLimit)]).map { try $0.uuid("id") }
        guard !ids.isEmpty else { return Result() }
        do {
            return try await fire(only: nil)
        } catch let error as PostgresError where error.blamesOne {
            for id in ids {
                do { _ = try await fire(only: id) } catch let error as PostgresError where error.blamesOne {
                    _ = try await pool.query(Self.leave, [.uuid(id), .double(Self.faultPauseSeconds)])
                }
            }
            throw error
        }
    }

    private func fire(only id: UUID?) async throws -> Result {
        try await pool.transaction { transaction in
            let taken = try await transaction.query(
                Self.take, [id.map(Parameter.uuid) ?? .null, .int(Self.batchLimit)]
            ).map(Taken.init)
            guard !taken.isEmpty else { return Result() }
            let requests = taken.map(\.request)
            let rows = try await transaction.pipeline(StartService.reading(requests))[1]
            let batch = try decide(taken, rows)
            let written = try await transaction.pipeline([
                (StartService.insert, StartService.parameters(batch.queued, lease: outboxLeaseSeconds)),
                (Self.block, blocking(batch.blocked)),
            ])
            _ = try await transaction.finish(Self.advance, Self.advancing(batch.moves))
            return try result(batch, written)
        }
    }

    /// A schedule that is due, as its row stood when it was locked.
    private struct Taken {
        let id: ScheduleID
        let operation: String
        let waitsFor: String?
        let now: Date
        /// Nil when this version can't read when it is due.
        let moments: DueMoments?
        let request: StartRequest

        init(_ row: Row) throws {
            id = ScheduleID(try row.uuid("id"))
            operation = try row.text("operation")
            waitsFor = try row.textOrNil("waits_for")
            now = try row.date("now")
            let due = try row.date("next_due_at")
            moments = Cadence(cron: try row.text("cron"), timeZone: try row.text("time_zone")).map {
                [now] in DueMoments(of: $0, due: due, now: now)
            }
            request = StartRequest(
                operation: operation, connectionID: ConnectionID(try row.uuid("connection_id")),
                parameters: try row.parameters("parameters"),
                initiatorID: try row.uuidOrNil("user_id").map(UserID.init), origin: .schedule,
                idempotencyKey: Timestamp(moments?.latest ?? due).description, scheduleID: id)
        }

        /// What the audit says of the moments before the latest. Without an obstacle, nobody was there to fire them.
        func skipped(_ moments: DueMoments, count: Int) -> JSON {
            [
                "schedule_id": .string("\(id)"), "operation": .string(operation),
                "count": .int(count),
                "may_be_more": .bool(moments.missed == DueMoments.countLimit),
                "reason": .string(waitsFor ?? "not_fired_in_time"),
                "fired_instead": .optional(moments.isTooLate ? nil : request.idempotencyKey),
            ]
        }
    }

    /// Where a schedule stands afterwards.
    private struct Move {
        let id: ScheduleID
        let due: Date
        let look: Date
        var obstacle: String?
        /// What the audit says about moments that passed without a run.
        var skipped: JSON?
    }

    private struct Batch {
        var queued: [StartService.Accepted] = []
        var blocked: [(transition: RunTransition, run: RunSnapshot, key: String)] = []
        var moves: [Move] = []
        var postponed = 0
        var skipped = 0
    }

    private func decide(_ taken: [Taken], _ rows: Rows) throws -> Batch {
        var batch = Batch()
        var active: Set<ConnectionID> = []
        for (position, (schedule, row)) in zip(taken, rows).enumerated() {
            guard let moments = schedule.moments else {
                batch.postponed += 1
                let later = schedule.now.addingTimeInterval(Self.faultPauseSeconds)
                batch.moves.append(
                    Move(id: schedule.id, due: schedule.now, look: later, obstacle: "cadence_unreadable"))
                continue
            }
            var move = Move(id: schedule.id, due: moments.next, look: moments.next)
            let passed = moments.missed + (moments.isTooLate ? 1 : 0)
            if passed > 0 {
                move.skipped = schedule.skipped(moments, count: passed)
                batch.skipped += passed
            }
            // Fired before: the row was put back to where it stood.
            if try !moments.isTooLate && row.uuidOrNil("key_run_id") == nil {
                guard var facts = try StartService.startFacts(row) else {
                    throw StoreError.notFound("connection")
                }
                let request = schedule.request
                if active.contains(request.connectionID) {
                    facts.activeRun = (RunID(schedule.id.uuid), "", nil)
                }
                let answer = StartGate.firing(
                    request, facts: facts, families: families, runID: RunID(makeID()), now: schedule.now)
                switch answer {
                case .queued(let run, let definition):
                    active.insert(request.connectionID)
                    batch.queued.append(
                        .init(position: position, run: run, family: definition.family, request: request))
                case .blocked(let run, let decision, let reason):
                    let transition = RunTransition.deny(
                        run, decision, reason: reason, now: schedule.now, random: 0)
                    batch.blocked.append((transition, run, request.idempotencyKey ?? ""))
                case .postponed(let obstacle):
                    batch.postponed += 1
                    move = Move(
                        id: schedule.id, due: moments.latest,
                        look: min(moments.next, schedule.now.addingTimeInterval(Self.pauseSeconds)),
                        obstacle: obstacle.rawValue, skipped: move.skipped)
                }
            }
            batch.moves.append(move)
        }
        return batch
    }

    private func blocking(_ runs: [(transition: RunTransition, run: RunSnapshot, key: String)]) -> [Parameter]
    {
        let executions = runs.map(\.run.execution)
        let transitions = runs.map(\.transition)
        return [
            .uuids(executions.map(\.runID.uuid)), .uuids(executions.map(\.workspaceID.uuid)),
            .uuids(executions.map(\.tenantID.uuid)), .uuids(executions.map(\.connectionID.uuid)),
            .texts(executions.map(\.operation)), .uuids(executions.map(\.initiatorID?.uuid)),
            .jsons(executions.map(StartService.contextText)), .jsons(transitions.map { $0.legitimacy?.text }),
            .timestamps(runs.map(\.run.queuedAt)), .timestamps(executions.map(\.expiresAt)),
            .uuids(runs.map(\.run.scheduleID?.uuid)), .texts(runs.map(\.key)),
            .texts(transitions.map { $0.outcome?.rawValue }), .texts(transitions.map { $0.reason?.code }),
            .jsons(runs.map { StartService.auditText($0.run, key: $0.key) }),
            .jsons(transitions.map(\.audit.details.text)),
            .texts(transitions.map(\.audit.action.rawValue)),
            .texts(transitions.map { $0.outbox?.route.name }),
            .texts(transitions.map { $0.outbox?.messageID }),
            .byteArrays(transitions.map { $0.outbox?.body }),
            .double(outboxLeaseSeconds), .jsons(executions.map { $0.parameters?.text }),
        ]
    }

    private static func advancing(_ moves: [Move]) -> [Parameter] {
        [
            .uuids(moves.map(\.id.uuid)), .timestamps(moves.map(\.due)), .timestamps(moves.map(\.look)),
            .texts(moves.map(\.obstacle)), .jsons(moves.map { $0.skipped?.text }),
            .text(AuditAction.scheduleSkipped.rawValue),
        ]
    }

    private func result(_ batch: Batch, _ written: [Rows]) throws -> Result {
        var messages: [RunID: OutboxMessage] = [:]
        for start in batch.queued { messages[start.run.execution.runID] = start.message }
        for blocked in batch.blocked { messages[blocked.run.execution.runID] = blocked.transition.outbox }
        var result = Result(
            looked: batch.moves.count, queued: batch.queued.count, blocked: batch.blocked.count,
            postponed: batch.postponed, skipped: batch.skipped)
        for row in written.joined() {
            guard let message = messages[RunID(try row.uuid("run_id"))] else { continue }
            result.messages.append(PendingMessage(outboxID: try row.int("id"), message: message))
        }
        return result
    }
}

extension Cadence {
    /// Nil when this version can't read one of them.
    init?(cron: String, timeZone: String) {
        guard let expression = try? CronExpression(cron), let zone = ScheduleZone(timeZone) else {
            return nil
        }
        self.init(expression, in: zone)
    }
}

extension PostgresError {
    /// Whether the server refused what one of many asked for; the others may well be fine.
    fileprivate var blamesOne: Bool { sqlState != nil && !isRetryable }
}
