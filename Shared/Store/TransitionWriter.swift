internal import FoundationEssentials
internal import JSON
package import Operations
internal import Postgres

/// Writes run transitions, with their audit rows and outbox messages, in one set-based statement. Only rows
/// that are still in the believed state and attempt change, and only those leave audit and outbox content.
struct TransitionWriter {
    /// How long the writer of an outbox row has it to itself, in seconds.
    let outboxLeaseSeconds: Double

    private static let statement: Statement = """
        WITH change AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[],
                                 $7::text[], $8::json[], $9::json[], $10::text[], $11::json[],
                                 $12::text[], $13::text[], $14::bytea[], $15::float8[], $16::timestamptz[])
                AS c (id, from_state, attempt, to_state, next_attempt, outcome, reason, counts, legitimacy,
                      action, details, route, message_id, body, delay, completed_at)
        ), changed AS (
            UPDATE runs r SET
                state = c.to_state, attempt = c.next_attempt, outcome = c.outcome, reason_code = c.reason,
                counts = coalesce(c.counts::jsonb, r.counts),
                context = CASE WHEN c.legitimacy IS NULL THEN r.context
                          ELSE r.context || jsonb_build_object('legitimacy', c.legitimacy) END,
                failed_attempts = r.failed_attempts
                    + CASE WHEN c.from_state = 'running' AND c.to_state = 'queued' THEN 1 ELSE 0 END,
                is_divided = c.from_state = 'running' AND c.to_state = 'running',
                worker_id = CASE WHEN c.to_state = 'running' THEN $17::uuid END,
                started_at = CASE WHEN c.to_state = 'running'
                             THEN coalesce(r.started_at, clock_timestamp()) ELSE r.started_at END,
                next_attempt_at = CASE WHEN c.to_state = 'queued'
                                  THEN clock_timestamp() + make_interval(secs => c.delay) END,
                completed_at = c.completed_at
            FROM change c
            WHERE r.id = c.id AND r.state = c.from_state AND r.attempt = c.attempt
              AND ($18::uuid IS NULL OR r.worker_id = $18::uuid)
            RETURNING r.id, r.workspace_id, r.tenant_id
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, run_id, details)
            SELECT c.action, d.workspace_id, d.tenant_id, d.id, c.details
            FROM change c JOIN changed d USING (id)
        ), queued AS (
            INSERT INTO outbox (due_at, route, message_id, run_id, body)
            SELECT clock_timestamp()
                       + make_interval(secs => CASE WHEN c.delay > 0 THEN c.delay ELSE $19::float8 END),
                   c.route, c.message_id, c.id, c.body
            FROM change c JOIN changed d USING (id)
            WHERE c.route IS NOT NULL
            RETURNING id, run_id
        )
        SELECT d.id AS run_id, q.id AS outbox_id FROM changed d LEFT JOIN queued q ON q.run_id = d.id
        """

    /// The call that writes `transitions`. With `heldBy`, a row changes only while that worker holds it;
    /// runs that begin are given to `worker`.
    func call(
        _ transitions: [RunTransition], worker: UUID? = nil, heldBy: UUID? = nil, completedAt: Date
    ) -> (Statement, [Parameter]) {
        (
            Self.statement,
            [
                .uuids(transitions.map(\.runID.uuid)),
                .texts(transitions.map(\.from.rawValue)),
                .ints(transitions.map(\.attempt)),
                .texts(transitions.map(\.to.rawValue)),
                .ints(transitions.map(\.nextAttempt)),
                .texts(transitions.map { $0.outcome?.rawValue }),
                .texts(transitions.map { $0.reason?.code }),
                .jsons(transitions.map { $0.counts?.json.text }),
                .jsons(transitions.map { $0.legitimacy?.text }),
                .texts(transitions.map(\.audit.action.rawValue)),
                .jsons(transitions.map(\.audit.details.text)),
                .texts(transitions.map { $0.outbox?.route.name }),
                .texts(transitions.map { $0.outbox?.messageID }),
                .byteArrays(transitions.map { $0.outbox?.body }),
                .doubles(transitions.map { $0.outbox?.delaySeconds ?? 0 }),
                .timestamps(transitions.map { $0.to == .completed ? completedAt : nil }),
                worker.map(Parameter.uuid) ?? .null,
                heldBy.map(Parameter.uuid) ?? .null,
                .double(outboxLeaseSeconds),
            ]
        )
    }

    /// Which transitions took effect, in order, each with the outbox rows that may be published at once.
    func outcomes(_ rows: Rows, of transitions: [RunTransition]) throws -> [WrittenTransition] {
        var outboxIDs: [UUID: Int?] = [:]
        for row in rows { outboxIDs[try row.uuid("run_id")] = .some(try row.intOrNil("outbox_id")) }
        return transitions.map { transition in
            guard let outboxID = outboxIDs[transition.runID.uuid] else { return .stale }
            guard let message = transition.outbox, let outboxID, message.delaySeconds == 0 else {
                return .written(outcome: transition.outcome, message: nil)
            }
            return .written(
                outcome: transition.outcome, message: PendingMessage(outboxID: outboxID, message: message))
        }
    }
}

/// What became of one transition.
package enum WrittenTransition: Sendable {
    /// The row had already moved on: nothing changed.
    case stale
    /// It took effect: the outcome, if the run has ended by it, and the message that may be published now.
    case written(outcome: RunOutcome?, message: PendingMessage?)

    /// What may be published now.
    var pending: PendingMessage? {
        if case .written(_, let message) = self { message } else { nil }
    }
}

/// A message whose row is committed, and which this process may publish now.
package struct PendingMessage: Sendable, Hashable {
    /// The outbox row, to be deleted when the broker has confirmed.
    package let outboxID: Int
    /// Where it goes, by the name that the outbox stores.
    package let route: String
    package let messageID: String
    package let runID: RunID
    package let body: [UInt8]

    init(outboxID: Int, message: OutboxMessage) {
        self.outboxID = outboxID
        route = message.route.name
        messageID = message.messageID
        runID = message.runID
        body = message.body
    }

    init(outboxID: Int, route: String, messageID: String, runID: RunID, body: [UInt8]) {
        self.outboxID = outboxID
        self.route = route
        self.messageID = messageID
        self.runID = runID
        self.body = body
    }
}

extension OutboxMessage.Route {
    /// The name under which the outbox stores a route: `jobs.<family>` or `run-events`.
    package var name: String {
        switch self {
        case .job(let family): "jobs.\(family.rawValue)"
        case .terminalEvent: "run-events"
        }
    }
}
