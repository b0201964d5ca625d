internal import FoundationEssentials
internal import JSON
internal import Operations
internal import Postgres

/// Writes chunk transitions, with everything that follows from them for their runs: chunks behind one that stopped
/// end, the next ones get their messages, and a run whose chunks have all ended is concluded. All in the caller's
/// transaction, which holds the rows of the runs.
struct ChunkWriter {
    /// What was written.
    struct Written {
        /// The chunks that changed; the others had moved on already.
        var changed: Set<ChunkKey> = []
        /// May be published when the transaction is committed.
        var messages: [PendingMessage] = []
        var outcomes: [RunID: RunOutcome] = [:]
    }

    struct ChunkKey: Hashable {
        let run: RunID
        let chunk: Int
    }

    /// How many chunks of a run are in the queue or under way at once. Enough for any pace of writes; few, so that a
    /// large run does not stand before all others in the queue.
    private static let window = 8

    /// How long the writer of an outbox row has it to itself, in seconds.
    let outboxLeaseSeconds: Double

    // MARK: statements

    /// The rows of runs, in one order, before anything of their chunks is changed.
    static let lockRuns: Statement =
        "SELECT id FROM runs WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"

    /// A next attempt does not begin while a call of the one before may still be on the wire: it looks up what came
    /// of it.
    private static let change: Statement = """
        WITH change AS (
            SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::int[], $7::int[],
                                 $8::text[], $9::json[], $10::float8[])
                AS c (run_id, chunk, from_state, attempt, to_state, next_attempt, failed, reason, decision, delay)
        )
        UPDATE run_chunks k SET
            state = c.to_state, attempt = c.next_attempt, failed_attempts = k.failed_attempts + c.failed,
            reason_code = c.reason, decision = c.decision,
            worker_id = CASE WHEN c.to_state = 'running' THEN $11::uuid END,
            rung_at = CASE WHEN c.to_state = 'queued' THEN clock_timestamp() ELSE k.rung_at END,
            next_attempt_at = CASE WHEN c.to_state = 'queued' THEN greatest(
                clock_timestamp() + make_interval(secs => c.delay),
                (SELECT max(p.deadline) FROM call_permits p
                 WHERE p.run_id = k.run_id AND p.chunk = k.chunk AND p.closed_at IS NULL)) END,
            ended_at = CASE WHEN c.to_state = 'ended' THEN clock_timestamp() END
        FROM change c
        WHERE k.run_id = c.run_id AND k.chunk = c.chunk AND k.state = c.from_state AND k.attempt = c.attempt
          AND ($12::uuid IS NULL OR k.worker_id = $12::uuid)
        RETURNING k.run_id, k.chunk, k.attempt, k.state,
                  greatest(extract(epoch FROM k.next_attempt_at - clock_timestamp()), 0)::float8 AS delay
        """

    private static let stop: Statement = """
        UPDATE run_chunks k SET
            state = 'ended', ended_at = clock_timestamp(), next_attempt_at = NULL, reason_code = NULL
        WHERE k.run_id = ANY ($1::uuid[]) AND k.state IN ('planned', 'queued')
          AND EXISTS (SELECT FROM run_chunks e
                      WHERE e.run_id = k.run_id AND e.state = 'ended' AND e.reason_code IS NOT NULL)
        """

    private static let ring: Statement = """
        UPDATE run_chunks k SET state = 'queued', rung_at = clock_timestamp()
        FROM unnest($1::uuid[]) AS r (run_id)
        CROSS JOIN LATERAL (
            SELECT p.chunk FROM run_chunks p WHERE p.run_id = r.run_id AND p.state = 'planned'
            ORDER BY p.chunk
            LIMIT greatest($2::int - (SELECT count(*) FROM run_chunks o
                                      WHERE o.run_id = r.run_id AND o.state IN ('queued', 'running')), 0)
        ) AS next
        WHERE k.run_id = r.run_id AND k.chunk = next.chunk
        RETURNING k.run_id, k.chunk, k.attempt
        """

    /// How the items came out, of runs all of whose chunks have ended.
    private static let tally: Statement = """
        SELECT i.run_id, i.state, count(*) AS count FROM run_items i
        WHERE i.run_id = ANY ($1::uuid[])
          AND EXISTS (SELECT FROM run_chunks k WHERE k.run_id = i.run_id)
          AND NOT EXISTS (SELECT FROM run_chunks k WHERE k.run_id = i.run_id AND k.state <> 'ended')
        GROUP BY i.run_id, i.state
        """

    private static let stops: Statement = """
        SELECT DISTINCT ON (run_id) run_id, reason_code, decision::text AS decision FROM run_chunks
        WHERE run_id = ANY ($1::uuid[]) AND state = 'ended' AND reason_code IS NOT NULL
        ORDER BY run_id, ended_at, chunk
        """

    static let bell: Statement = """
        INSERT INTO outbox (due_at, route, message_id, run_id, body)
        SELECT clock_timestamp() + make_interval(secs => CASE WHEN delay > 0 THEN delay ELSE $6::float8 END),
               route, message_id, run_id, body
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[], $5::float8[])
            AS b (route, message_id, run_id, body, delay)
        RETURNING id, message_id
        """

    // MARK: writing

    /// Writes transitions of chunks whose runs are `runs`. Chunks that begin are given to `worker`; with `heldBy`, a
    /// row changes only while that worker holds it.
    func write(
        _ transitions: [ChunkTransition], of runs: [RunSnapshot], worker: UUID? = nil, heldBy: UUID? = nil,
        now: Date, _ transaction: Transaction
    ) async throws -> Written {
        let parameters = Self.parameters(transitions, worker, heldBy)
        guard transitions.contains(where: { $0.to != .running }) else {
            let rows = try await transaction.query(Self.change, parameters)
            return Written(changed: Set(try rows.map(ChunkKey.init)))
        }
        return try await settle(runs, after: [(Self.change, parameters)], now: now, transaction)
    }

    /// Brings about what follows for `runs` from changes of their chunks, after the changes `before`, whose first one
    /// returns its rows.
    func settle(
        _ runs: [RunSnapshot], after before: [(Statement, [Parameter])] = [], now: Date,
        _ transaction: Transaction
    ) async throws -> Written {
        let ids = Parameter.uuids(runs.map(\.execution.runID.uuid))
        let results = try await transaction.pipeline(
            before + [
                (Self.stop, [ids]), (Self.ring, [ids, .int(Self.window)]), (Self.tally, [ids]),
                (Self.stops, [ids]),
            ])
        let (rung, tallies, stops) = (results[results.count - 3], results[results.count - 2], results.last!)
        let byID = Dictionary(uniqueKeysWithValues: runs.map { ($0.execution.runID, $0) })
        var written = Written()
        var bells = try rung.compactMap { try Self.bell($0, byID, delay: 0) }
        if !before.isEmpty {
            written.changed = Set(try results[0].map(ChunkKey.init))
            bells += try results[0].compactMap { row in
                try row.text("state") == ChunkState.queued.rawValue
                    ? Self.bell(row, byID, delay: row.double("delay")) : nil
            }
        }
        written.messages = try await ring(bells, transaction)
        let conclusions = try Self.conclusions(byID, tallies, stops, now: now)
        guard !conclusions.isEmpty else { return written }
        let writer = TransitionWriter(outboxLeaseSeconds: outboxLeaseSeconds)
        let (statement, parameters) = writer.call(conclusions, completedAt: now)
        let rows = try await transaction.query(statement, parameters)
        for (transition, outcome) in zip(conclusions, try writer.outcomes(rows, of: conclusions)) {
            guard case .written(let ended?, let message) = outcome else { continue }
            written.outcomes[transition.runID] = ended
            written.messages += message.map { [$0] } ?? []
        }
        return written
    }

    /// Writes the messages. Those without a delay may be published when the transaction is committed.
    private func ring(_ bells: [OutboxMessage], _ transaction: Transaction) async throws -> [PendingMessage] {
        guard !bells.isEmpty else { return [] }
        let rows = try await transaction.query(
            Self.bell,
            [
                .texts(bells.map(\.route.name)), .texts(bells.map(\.messageID)),
                .uuids(bells.map(\.runID.uuid)), .byteArrays(bells.map(\.body)),
                .doubles(bells.map(\.delaySeconds)), .double(outboxLeaseSeconds),
            ])
        var ids: [String: Int] = [:]
        for row in rows { ids[try row.text("message_id")] = try row.int("id") }
        return bells.filter { $0.delaySeconds == 0 }.compactMap { bell in
            ids[bell.messageID].map { PendingMessage(outboxID: $0, message: bell) }
        }
    }

    private static func bell(
        _ row: Row, _ runs: [RunID: RunSnapshot], delay: Double
    ) throws -> OutboxMessage? {
        guard let run = runs[RunID(try row.uuid("run_id"))],
            let definition = OperationCatalogue.definition(named: run.execution.operation)
        else { return nil }
        return .chunk(
            try row.int("chunk"), of: run, family: definition.family, attempt: try row.int("attempt"),
            delaySeconds: delay)
    }

    private static func conclusions(
        _ runs: [RunID: RunSnapshot], _ tallies: Rows, _ stops: Rows, now: Date
    ) throws -> [RunTransition] {
        var counts: [RunID: SummaryCounts] = [:]
        for row in tallies {
            let run = RunID(try row.uuid("run_id"))
            counts[run, default: .ofItems()].add(try row.int("count"), in: try row.itemState("state"))
        }
        var stopped: [RunID: ChunkStop] = [:]
        for row in stops {
            let code = try row.text("reason_code")
            let decision = try row.textOrNil("decision").map { try JSON(parsing: $0) }
            guard let stop = ChunkStop(code: code, stored: decision) else {
                throw StoreError.unreadable("reason_code", code)
            }
            stopped[RunID(try row.uuid("run_id"))] = stop
        }
        return runs.values.filter { $0.state == .running }.compactMap { run in
            let id = run.execution.runID
            return counts[id].map { .conclude(run, stopped[id], counts: $0, now: now) }
        }
    }

    private static func parameters(
        _ transitions: [ChunkTransition], _ worker: UUID?, _ heldBy: UUID?
    ) -> [Parameter] {
        let chunks = transitions.map(\.chunk)
        return [
            .uuids(chunks.map(\.run.execution.runID.uuid)), .ints(chunks.map(\.chunk)),
            .texts(chunks.map(\.state.rawValue)), .ints(chunks.map(\.attempt)),
            .texts(transitions.map(\.to.rawValue)), .ints(transitions.map(\.nextAttempt)),
            .ints(transitions.map { $0.isFailure ? 1 : 0 }),
            .texts(transitions.map { $0.stop?.code ?? $0.waitReason?.code }),
            .jsons(transitions.map { $0.stop?.stored?.text }),
            .doubles(transitions.map(\.delaySeconds)),
            worker.map(Parameter.uuid) ?? .null, heldBy.map(Parameter.uuid) ?? .null,
        ]
    }
}

extension ChunkWriter.ChunkKey {
    init(_ row: Row) throws {
        self.init(run: RunID(try row.uuid("run_id")), chunk: try row.int("chunk"))
    }
}

extension SummaryCounts {
    /// The counts of a run of items, all zero.
    static func ofItems() -> SummaryCounts {
        var counts = SummaryCounts()
        for key in [Key.total, .applied, .untouched, .failed, .inDoubt] { counts[key] = 0 }
        return counts
    }

    mutating func add(_ count: Int, in state: Ledger.Item.State) {
        self[.total] += count
        switch state {
        case .applied: self[.applied] += count
        case .failed: self[.failed] += count
        case .skipped, .planned: self[.skipped] += count
        case .inDoubt: self[.inDoubt] += count
        case .untouched: self[.untouched] += count
        }
    }
}
