internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// What people are told when a run has ended: one row per run and channel, whatever is delivered how often.
package struct Notifications: Sendable {
    private let pool: PostgresPool
    private let leaseSeconds: Double
    private let tries: GroupCommit<TriedDelivery, Void>

    /// `leaseSeconds`: how long a claimed delivery belongs to its claimer.
    package init(pool: PostgresPool, leaseSeconds: Double) {
        self.pool = pool
        self.leaseSeconds = leaseSeconds
        tries = GroupCommit { tries in
            _ = try await pool.pipeline([Self.disabling(tries), Self.recording(tries)])
            return tries.map { _ in }
        }
    }

    // MARK: telling

    private static let ended: Statement = """
        SELECT r.id, r.workspace_id, r.tenant_id, r.connection_id, r.operation, r.initiator_id, r.attempt,
               r.outcome, r.reason_code, nullif(r.counts, '{}')::text AS counts, r.traceparent, r.queued_at,
               r.expires_at, r.completed_at, r.schedule_id, t.name AS tenant_name
        FROM runs r JOIN tenants t ON t.id = r.tenant_id
        WHERE r.id = ANY ($1::uuid[]) AND r.state = 'completed'
        """

    /// Those of `runs` that have ended, as their rows say it: what a message says decides nothing (H1).
    package func endedRuns(_ runs: Set<RunID>) async throws -> [RunID: EndedRun] {
        var ended: [RunID: EndedRun] = [:]
        for row in try await pool.query(Self.ended, [.uuids(runs.map(\.uuid))]) {
            let run = try EndedRun(row)
            ended[run.event.runID] = run
        }
        return ended
    }

    /// A refused run is told of when its schedule's last run that says anything about authority was not refused, or
    /// was before the schedule was changed. What was told of already is not told again to whoever has become a manager
    /// meanwhile.
    private static let managers: Statement = """
        SELECT r.id AS run_id, p.user_id
        FROM runs r
        LEFT JOIN schedules s ON s.id = r.schedule_id
        LEFT JOIN LATERAL (
            SELECT b.outcome FROM runs b
            WHERE b.schedule_id = r.schedule_id AND b.queued_at < r.queued_at
              AND b.queued_at >= coalesce(s.changed_at, '-infinity')
              AND b.outcome IN ('succeeded', 'partially_succeeded', 'blocked')
            ORDER BY b.queued_at DESC LIMIT 1
        ) b ON true
        CROSS JOIN LATERAL (
            SELECT DISTINCT m.user_id FROM memberships m
            JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL
            CROSS JOIN LATERAL entitlement(m.user_id, r.workspace_id, r.tenant_id) e
            WHERE m.workspace_id = r.workspace_id AND m.revoked_at IS NULL
              AND (m.tenant_id = r.tenant_id OR m.tenant_id IS NULL) AND e.role = ANY ($2::text[])
            LIMIT $3::int
        ) p
        WHERE r.id = ANY ($1::uuid[]) AND b.outcome IS DISTINCT FROM 'blocked'
          AND NOT EXISTS (SELECT FROM notifications n WHERE n.run_id = r.id)
        """

    /// The most managers who are told of one refused schedule.
    private static let managerLimit = 100

    /// Who manages access where these refused runs of schedules were to act, and is to be told now. A run of whose
    /// schedule they know already is missing.
    package func managers(toTellOf runs: [RunID]) async throws -> [RunID: [UserID]] {
        guard !runs.isEmpty else { return [:] }
        let roles = NotificationPolicy.managing.map(\.rawValue)
        let rows = try await pool.query(
            Self.managers, [.uuids(runs.map(\.uuid)), .texts(roles), .int(Self.managerLimit)])
        var managers: [RunID: [UserID]] = [:]
        for row in rows {
            managers[RunID(try row.uuid("run_id")), default: []].append(UserID(try row.uuid("user_id")))
        }
        return managers
    }

    /// In one fixed order, so that two notifiers that tell of the same runs never wait for each other.
    private static let telling: Statement = """
        INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event,
                                   next_delivery_at)
        SELECT n.run_id, c.channel, n.workspace_id, n.tenant_id, n.user_id, n.title, n.body, n.event,
               CASE WHEN c.channel = 'webhook' THEN clock_timestamp() END
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::json[])
            AS n (run_id, workspace_id, tenant_id, user_id, title, body, event)
        CROSS JOIN LATERAL (
            SELECT 'inbox' AS channel
            UNION ALL
            SELECT 'webhook' FROM webhooks w JOIN users u ON u.id = w.user_id
            WHERE $8::boolean AND w.user_id = n.user_id AND w.disabled_at IS NULL AND u.disabled_at IS NULL
        ) AS c
        ORDER BY n.run_id, c.channel, n.user_id
        ON CONFLICT (run_id, channel, user_id) DO NOTHING
        RETURNING run_id, channel
        """

    /// Enters what is not there yet, each in the inbox and, with `usesWebhooks`, for the webhook of whoever
    /// has an enabled one. A disabled person's webhook is told nothing: it would carry on what was taken away.
    /// Returns what was new.
    package func add(
        _ notifications: [NewNotification], usesWebhooks: Bool
    ) async throws -> [RunID: Set<NotificationPolicy.Channel>] {
        guard !notifications.isEmpty else { return [:] }
        let events = notifications.map(\.run.event)
        let rows = try await pool.query(
            Self.telling,
            [
                .uuids(events.map(\.runID.uuid)), .uuids(events.map(\.workspaceID.uuid)),
                .uuids(events.map(\.tenantID.uuid)), .uuids(notifications.map(\.recipient.uuid)),
                .texts(notifications.map(\.title)), .texts(notifications.map(\.body)),
                .jsons(events.map { String(decoding: $0.body, as: UTF8.self) }), .bool(usesWebhooks),
            ])
        var added: [RunID: Set<NotificationPolicy.Channel>] = [:]
        for row in rows {
            let word = try row.text("channel")
            guard let channel = NotificationPolicy.Channel(rawValue: word) else {
                throw StoreError.unreadable("channel", word)
            }
            added[RunID(try row.uuid("run_id")), default: []].insert(channel)
        }
        return added
    }

    // MARK: delivering

    /// The most rows that are due which one claim looks at.
    private static let lookLimit = 1_000

    /// `statement_timestamp()` and not `clock_timestamp()`: the index is read up to what is due only when the
    /// moment stays the same throughout the statement.
    private static let claiming: Statement = """
        WITH oldest AS (
            SELECT run_id, channel, user_id, next_delivery_at FROM notifications
            WHERE next_delivery_at <= statement_timestamp() AND channel = 'webhook'
              AND user_id <> ALL ($1::uuid[])
            ORDER BY next_delivery_at LIMIT $2::int
        ), placed AS (
            SELECT run_id, channel, user_id,
                   row_number() OVER (PARTITION BY user_id ORDER BY next_delivery_at) AS place
            FROM oldest
        ), due AS (
            SELECT n.run_id, n.channel, n.user_id
            FROM notifications n JOIN placed USING (run_id, channel, user_id)
            WHERE placed.place <= $3::int AND n.next_delivery_at <= statement_timestamp()
            ORDER BY n.next_delivery_at LIMIT $4::int
            FOR UPDATE OF n SKIP LOCKED
        ), claimed AS (
            UPDATE notifications n
            SET next_delivery_at = clock_timestamp() + make_interval(secs => $5::float8)
            FROM due
            WHERE n.run_id = due.run_id AND n.channel = due.channel AND n.user_id = due.user_id
            RETURNING n.run_id, n.workspace_id, n.user_id, n.event, n.next_delivery_at
        )
        SELECT c.run_id, c.workspace_id, c.user_id, c.event, c.next_delivery_at,
               w.url, w.key_id, w.sealed_secret,
               1 + (SELECT count(*) FROM deliveries d
                    WHERE d.run_id = c.run_id AND d.channel = 'webhook' AND d.user_id = c.user_id)
               AS attempt
        FROM claimed c
        LEFT JOIN (webhooks w JOIN users u ON u.id = w.user_id AND u.disabled_at IS NULL)
            ON w.user_id = c.user_id AND w.disabled_at IS NULL
        """

    /// Takes at most `limit` webhook deliveries that are due and nobody else's, the longest overdue first, at
    /// most `perRecipient` for one recipient and none for `busy` ones, so that a slow receiver holds up only
    /// its own.
    package func claimDue(
        limit: Int, perRecipient: Int, busy: Set<UserID>
    ) async throws -> [DueDelivery] {
        try await pool.query(
            Self.claiming,
            [
                .uuids(busy.map(\.uuid)), .int(Self.lookLimit), .int(perRecipient), .int(limit),
                .double(leaseSeconds),
            ]
        ).map(DueDelivery.init)
    }

    /// Writes down what came of a delivery: the try, and when the next one is. A row that was claimed by
    /// somebody else meanwhile keeps what they make of it; the try is written down all the same.
    package func record(_ tried: TriedDelivery) async throws {
        try await tries.submit(tried)
    }

    private static let tried: Statement = """
        WITH tried AS (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::text[],
                                 $6::float8[], $7::uuid[])
                AS t (run_id, lease, attempt, status, result, delay, user_id)
        ), entered AS (
            INSERT INTO deliveries (run_id, channel, user_id, attempt, status, result)
            SELECT run_id, 'webhook', user_id, attempt, status, result FROM tried WHERE result IS NOT NULL
        )
        UPDATE notifications n SET
            next_delivery_at = clock_timestamp() + make_interval(secs => t.delay),
            delivered_at = CASE WHEN t.result = 'delivered' THEN clock_timestamp() END,
            given_up_at = CASE WHEN t.result IS DISTINCT FROM 'delivered' AND t.delay IS NULL
                          THEN clock_timestamp() END
        FROM tried t
        WHERE n.run_id = t.run_id AND n.channel = 'webhook' AND n.user_id = t.user_id
          AND n.next_delivery_at = t.lease
        """

    private static func recording(_ tries: [TriedDelivery]) -> (Statement, [Parameter]) {
        (
            tried,
            [
                .uuids(tries.map(\.delivery.runID.uuid)), .timestamps(tries.map(\.delivery.leaseUntil)),
                .ints(tries.map(\.delivery.attempt)), .ints(tries.map(\.status)),
                .texts(tries.map { $0.result?.rawValue }), .doubles(tries.map(\.nextInSeconds)),
                .uuids(tries.map(\.delivery.recipient.uuid)),
            ]
        )
    }

    /// Only the very endpoint that said so: it may have been set anew meanwhile.
    private static let gone: Statement = """
        WITH disabled AS (
            UPDATE webhooks w SET disabled_at = clock_timestamp()
            FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS g (user_id, url, sealed_secret)
            WHERE w.user_id = g.user_id AND w.url = g.url AND w.sealed_secret = g.sealed_secret
              AND w.disabled_at IS NULL
            RETURNING w.user_id, w.workspace_id
        )
        INSERT INTO audit (action, workspace_id, details)
        SELECT 'webhook.disabled', workspace_id, jsonb_build_object('user_id', user_id, 'reason_code', 'gone')
        FROM disabled
        """

    private static func disabling(_ tries: [TriedDelivery]) -> (Statement, [Parameter]) {
        let gone = tries.filter(\.disablesEndpoint).compactMap { tried in
            tried.delivery.endpoint.map { (tried.delivery.recipient, $0) }
        }
        return (
            Self.gone,
            [
                .uuids(gone.map(\.0.uuid)), .texts(gone.map(\.1.url)),
                .byteArrays(gone.map(\.1.sealedSecret)),
            ]
        )
    }
}

/// A run that has ended, and what people call its tenant.
package struct EndedRun: Sendable, Hashable {
    /// What its terminal event has to say, built from its row.
    package let event: TerminalEvent
    package let tenantName: String
    /// The schedule that started it.
    package let scheduleID: ScheduleID?

    package init(event: TerminalEvent, tenantName: String, scheduleID: ScheduleID? = nil) {
        self.event = event
        self.tenantName = tenantName
        self.scheduleID = scheduleID
    }
}

/// What one person is to be told about one run.
package struct NewNotification: Sendable, Hashable {
    package let run: EndedRun
    package let recipient: UserID
    /// One line.
    package let title: String
    /// A few sentences; may be empty.
    package let body: String

    package init(run: EndedRun, recipient: UserID, title: String, body: String) {
        self.run = run
        self.recipient = recipient
        self.title = title
        self.body = body
    }
}

/// A webhook delivery that is due and belongs to whoever claimed it, until its lease ends.
package struct DueDelivery: Sendable {
    /// Where it goes.
    package struct Endpoint: Sendable {
        /// May hold a secret: never to be logged.
        package let url: String
        /// The key pair that the signing secret is sealed to.
        package let keyID: String
        package let sealedSecret: [UInt8]
    }

    package let runID: RunID
    package let workspaceID: WorkspaceID
    package let recipient: UserID
    /// The stored event; nil when this version can't read it.
    package let event: TerminalEvent?
    /// 1 for the first try.
    package let attempt: Int
    /// Nil when the recipient has no enabled endpoint any more.
    package let endpoint: Endpoint?
    fileprivate let leaseUntil: Date
}

/// What came of a delivery.
package struct TriedDelivery: Sendable {
    /// How a try went.
    package enum Result: String, Sendable, CaseIterable {
        /// The receiver took it.
        case delivered
        /// It answered with another status.
        case refused
        /// It could not be reached, or the answer broke off.
        case unreachable
        /// It did not answer in time.
        case timeout
        /// Nothing was sent: the address is not allowed, or the secret can't be opened.
        case notSent = "not_sent"
    }

    package let delivery: DueDelivery
    /// Nil when there was no try: nobody wants it any more.
    package let result: Result?
    /// The receiver's HTTP status; nil when none arrived.
    package let status: Int?
    /// When the next try is due, in seconds from now; nil when there is none.
    package let nextInSeconds: Double?
    /// The receiver said that the endpoint is gone for good.
    package let disablesEndpoint: Bool

    package init(
        _ delivery: DueDelivery, _ result: Result?, status: Int? = nil, nextInSeconds: Double? = nil,
        disablesEndpoint: Bool = false
    ) {
        self.delivery = delivery
        self.result = result
        self.status = status
        self.nextInSeconds = nextInSeconds
        self.disablesEndpoint = disablesEndpoint
    }
}

extension EndedRun {
    fileprivate init(_ row: Row) throws {
        let word = try row.text("outcome")
        guard let outcome = RunOutcome(rawValue: word) else { throw StoreError.unreadable("outcome", word) }
        let operation = try row.text("operation")
        let run = RunSnapshot(
            execution: QueuedExecution(
                runID: RunID(try row.uuid("id")), operation: operation,
                workspaceID: WorkspaceID(try row.uuid("workspace_id")),
                tenantID: TenantID(try row.uuid("tenant_id")),
                connectionID: ConnectionID(try row.uuid("connection_id")),
                initiatorID: try row.uuidOrNil("initiator_id").map(UserID.init),
                expiresAt: try row.date("expires_at"), context: nil),
            state: .completed, attempt: try row.int("attempt"), queuedAt: try row.date("queued_at"),
            traceparent: try row.textOrNil("traceparent"))
        self.init(
            event: TerminalEvent(
                run: run, outcome: outcome,
                reason: try row.textOrNil("reason_code").flatMap(RunReason.init(code:)),
                // A count that this version does not know is no reason to tell nobody that the run ended.
                counts: (try? row.counts("counts", of: operation)) ?? SummaryCounts(),
                completedAt: try row.date("completed_at")),
            tenantName: try row.text("tenant_name"),
            scheduleID: try row.uuidOrNil("schedule_id").map(ScheduleID.init))
    }
}

extension DueDelivery {
    fileprivate init(_ row: Row) throws {
        self.init(
            runID: RunID(try row.uuid("run_id")), workspaceID: WorkspaceID(try row.uuid("workspace_id")),
            recipient: UserID(try row.uuid("user_id")), event: TerminalEvent(body: try row.bytes("event")),
            attempt: try row.int("attempt"),
            endpoint: try row.textOrNil("url").map { url in
                Endpoint(
                    url: url, keyID: try row.text("key_id"), sealedSecret: try row.bytes("sealed_secret"))
            },
            leaseUntil: try row.date("next_delivery_at"))
    }
}
