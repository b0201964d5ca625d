internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// What people are told when a run has ended: one row per run, channel and person, and per webhook of the person,
/// whatever is delivered how often. ``Deliveries`` delivers.
package struct Notifications: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

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
        INSERT INTO notifications (run_id, channel, webhook_id, workspace_id, tenant_id, user_id, title, body, event,
                                   next_delivery_at)
        SELECT n.run_id, c.channel, c.webhook_id, n.workspace_id, n.tenant_id, n.user_id, n.title, n.body, n.event,
               CASE WHEN c.channel <> 'inbox' THEN clock_timestamp() END
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::json[])
            AS n (run_id, workspace_id, tenant_id, user_id, title, body, event)
        CROSS JOIN LATERAL (
            SELECT 'inbox' AS channel, NULL::uuid AS webhook_id
            UNION ALL
            SELECT 'webhook', w.id FROM webhooks w JOIN users u ON u.id = w.user_id
            WHERE 'webhook' = ANY ($8::text[]) AND w.user_id = n.user_id AND w.disabled_at IS NULL
              AND w.removed_at IS NULL AND u.disabled_at IS NULL
            UNION ALL
            SELECT 'email', NULL FROM email_settings s JOIN users u ON u.id = s.user_id
            CROSS JOIN LATERAL entitlement(s.user_id, n.workspace_id, n.tenant_id) e
            WHERE 'email' = ANY ($8::text[]) AND s.user_id = n.user_id AND s.enabled AND u.disabled_at IS NULL
              AND e.role = ANY ($9::text[])
        ) AS c
        ORDER BY n.run_id, c.channel, n.user_id, c.webhook_id
        ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING
        RETURNING run_id, channel
        """

    /// Enters what is not there yet, each in the inbox and, of the `channels`, for each enabled webhook of the person
    /// and for whoever wants to be mailed and may still read of the tenant. A disabled person is told nothing but in the
    /// inbox: it would carry on what was taken away. Returns what was new.
    package func add(
        _ notifications: [NewNotification], channels: Set<NotificationPolicy.Channel>
    ) async throws -> [RunID: [NotificationPolicy.Channel]] {
        guard !notifications.isEmpty else { return [:] }
        let events = notifications.map(\.run.event)
        let rows = try await pool.query(
            Self.telling,
            [
                .uuids(events.map(\.runID.uuid)), .uuids(events.map(\.workspaceID.uuid)),
                .uuids(events.map(\.tenantID.uuid)), .uuids(notifications.map(\.recipient.uuid)),
                .texts(notifications.map(\.title)), .texts(notifications.map(\.body)),
                .jsons(events.map { String(decoding: $0.body, as: UTF8.self) }),
                .texts(channels.map(\.rawValue)), .texts(NotificationPolicy.reading.map(\.rawValue)),
            ])
        var added: [RunID: [NotificationPolicy.Channel]] = [:]
        for row in rows {
            added[RunID(try row.uuid("run_id")), default: []].append(try row.channel("channel"))
        }
        return added
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

extension Row {
    /// A stored channel.
    func channel(_ column: String) throws -> NotificationPolicy.Channel {
        let word = try text(column)
        guard let channel = NotificationPolicy.Channel(rawValue: word) else {
            throw StoreError.unreadable(column, word)
        }
        return channel
    }
}
