package import FoundationEssentials
package import Operations
package import Postgres

/// Delivers notifications: hands out what is due, and writes down what came of each try.
///
/// A try is counted when it is claimed. A process that is killed between sending and writing down leaves a row that comes
/// back under the same id when its lease has ended; never a second row.
package struct Deliveries: Sendable {
    /// Why a webhook was switched off by itself.
    package enum Ending: String, Sendable {
        /// Its receiver said that it is gone for good.
        case gone
        /// No try has succeeded for ``patienceSeconds``.
        case failing
    }

    /// What people read when a webhook was switched off.
    package struct Notice: Sendable {
        package let title: String
        package let body: String

        package init(title: String, body: String) {
            self.title = title
            self.body = body
        }
    }

    /// For how long nothing may have succeeded before a webhook is switched off, in seconds: five days.
    package static let patienceSeconds = 432_000.0
    /// The most rows that are due which one claim looks at.
    private static let lookLimit = 1_000
    /// The most people who are told that a webhook was switched off.
    private static let keeperLimit = 100

    private let pool: PostgresPool
    private let leaseSeconds: Double
    private let tries: GroupCommit<TriedDelivery, Void>

    /// `leaseSeconds`: how long a claimed delivery belongs to its claimer. `notice`: the words for a webhook with this
    /// label that was switched off.
    package init(
        pool: PostgresPool, leaseSeconds: Double,
        notice: @escaping @Sendable (_ label: String, _ ending: Ending) -> Notice
    ) {
        self.pool = pool
        self.leaseSeconds = leaseSeconds
        tries = GroupCommit { tries in
            try await pool.transaction { transaction in
                _ = try await transaction.pipeline([Self.recording(tries), Self.judging(tries)])
                try await Self.end(tries, notice, in: transaction)
            }
            return tries.map { _ in }
        }
    }

    // MARK: claiming

    /// `statement_timestamp()` and not `clock_timestamp()`: the index is read up to what is due only when the
    /// moment stays the same throughout the statement.
    private static let claiming: Statement = """
        WITH oldest AS (
            SELECT id, coalesce(webhook_id, user_id) AS lane, next_delivery_at FROM notifications
            WHERE next_delivery_at <= statement_timestamp() AND channel = $6
              AND coalesce(webhook_id, user_id) <> ALL ($1::uuid[])
            ORDER BY next_delivery_at LIMIT $2::int
        ), placed AS (
            SELECT id, row_number() OVER (PARTITION BY lane ORDER BY next_delivery_at) AS place FROM oldest
        ), due AS (
            SELECT n.id FROM notifications n JOIN placed USING (id)
            WHERE placed.place <= $3::int AND n.next_delivery_at <= statement_timestamp()
            ORDER BY n.next_delivery_at LIMIT $4::int
            FOR UPDATE OF n SKIP LOCKED
        ), claimed AS (
            UPDATE notifications n
            SET next_delivery_at = clock_timestamp() + make_interval(secs => $5::float8), attempts = n.attempts + 1
            FROM due WHERE n.id = due.id
            RETURNING n.*
        )
        SELECT c.id, c.run_id, c.workspace_id, c.user_id, c.webhook_id, c.title, c.body, c.created_at, c.event,
               c.attempts, c.next_delivery_at, w.id AS endpoint_id, w.signing, w.url_key_id, w.sealed_url, s.address
        FROM claimed c
        JOIN users u ON u.id = c.user_id
        LEFT JOIN webhooks w ON w.id = c.webhook_id AND w.disabled_at IS NULL AND w.removed_at IS NULL
            AND u.disabled_at IS NULL
        LEFT JOIN LATERAL entitlement(c.user_id, c.workspace_id, c.tenant_id) e ON c.channel = 'email'
        LEFT JOIN email_settings s ON c.channel = 'email' AND s.user_id = c.user_id AND s.enabled
            AND u.disabled_at IS NULL AND e.role = ANY ($7::text[])
        """

    private static let keys: Statement = """
        SELECT webhook_id, number, key_id, sealed FROM webhook_keys
        WHERE webhook_id = ANY ($1::uuid[]) AND (expires_at IS NULL OR expires_at > clock_timestamp())
        ORDER BY webhook_id, number DESC
        """

    /// Takes at most `limit` deliveries of the channel that are due and nobody else's, the longest overdue first, at most
    /// `perLane` for one receiver and none for `busy` ones, so that a slow receiver holds up only its own.
    package func claimDue(
        _ channel: NotificationPolicy.Channel, limit: Int, perLane: Int, busy: Set<UUID>
    ) async throws -> [DueDelivery] {
        let rows = try await pool.query(
            Self.claiming,
            [
                .uuids(Array(busy)), .int(Self.lookLimit), .int(perLane), .int(limit),
                .double(leaseSeconds), .text(channel.rawValue),
                .texts(NotificationPolicy.reading.map(\.rawValue)),
            ])
        let endpoints = try Set(rows.compactMap { try $0.uuidOrNil("endpoint_id") })
        let keys = try await signingKeys(of: endpoints)
        return try rows.map { try DueDelivery($0, keys: keys) }
    }

    private func signingKeys(of webhooks: Set<UUID>) async throws -> [UUID: [DueDelivery.Key]] {
        guard !webhooks.isEmpty else { return [:] }
        var keys: [UUID: [DueDelivery.Key]] = [:]
        for row in try await pool.query(Self.keys, [.uuids(Array(webhooks))]) {
            let key = DueDelivery.Key(
                number: try row.int("number"),
                secret: SealedValue(keyID: try row.text("key_id"), bytes: try row.bytes("sealed")))
            keys[try row.uuid("webhook_id"), default: []].append(key)
        }
        return keys
    }

    // MARK: recording

    /// Writes down what came of a delivery: the try, and when the next one is. A row that was claimed by
    /// somebody else meanwhile keeps what they make of it; the try is written down all the same.
    package func record(_ tried: TriedDelivery) async throws {
        try await tries.submit(tried)
    }

    private static let recording: Statement = """
        WITH tried AS (
            SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::text[], $6::float8[])
                AS t (id, lease, attempt, status, result, delay)
        ), entered AS (
            INSERT INTO delivery_tries (notification_id, attempt, status, result)
            SELECT id, attempt, status, result FROM tried WHERE result IS NOT NULL
            ON CONFLICT DO NOTHING
        )
        UPDATE notifications n SET
            next_delivery_at = clock_timestamp() + make_interval(secs => t.delay),
            delivered_at = CASE WHEN t.result = 'delivered' THEN clock_timestamp() END,
            given_up_at = CASE WHEN t.result IS DISTINCT FROM 'delivered' AND t.delay IS NULL
                          THEN clock_timestamp() END
        FROM tried t
        WHERE n.id = t.id AND n.next_delivery_at = t.lease
        """

    private static func recording(_ tries: [TriedDelivery]) -> (Statement, [Parameter]) {
        (
            recording,
            [
                .uuids(tries.map(\.delivery.id.uuid)), .timestamps(tries.map(\.delivery.leaseUntil)),
                .ints(tries.map(\.delivery.attempt)), .ints(tries.map(\.status)),
                .texts(tries.map { $0.result?.rawValue }), .doubles(tries.map(\.nextInSeconds)),
            ]
        )
    }

    /// Of a webhook's tries in one batch, one that succeeded decides. In one order, so that two notifiers never wait for
    /// each other.
    private static let judging: Statement = """
        WITH judged AS (
            SELECT t.id, bool_or(t.well) AS well FROM unnest($1::uuid[], $2::boolean[]) AS t (id, well) GROUP BY t.id
        ), locked AS (
            SELECT w.id, j.well FROM webhooks w JOIN judged j USING (id)
            WHERE (w.failing_since IS NULL) <> j.well
            ORDER BY w.id FOR NO KEY UPDATE OF w
        )
        UPDATE webhooks w SET failing_since = CASE WHEN l.well THEN NULL ELSE clock_timestamp() END
        FROM locked l WHERE w.id = l.id
        """

    private static func judging(_ tries: [TriedDelivery]) -> (Statement, [Parameter]) {
        let judged = tries.compactMap { tried -> (WebhookID, Bool)? in
            guard let webhook = tried.delivery.webhookID, let result = tried.result else { return nil }
            return result == .delivered || result.blamesReceiver ? (webhook, result == .delivered) : nil
        }
        return (judging, [.uuids(judged.map(\.0.uuid)), .bools(judged.map(\.1))])
    }

    // MARK: ending a webhook

    private static let ending: Statement = """
        WITH told AS (
            SELECT DISTINCT ON (t.id) * FROM unnest($1::uuid[], $2::uuid[], $3::boolean[]) AS t (id, run_id, gone)
            ORDER BY t.id, t.gone DESC
        ), locked AS (
            SELECT w.id, t.run_id, t.gone FROM webhooks w JOIN told t USING (id)
            WHERE w.disabled_at IS NULL AND w.removed_at IS NULL
              AND (t.gone OR w.failing_since < clock_timestamp() - make_interval(secs => $4::float8))
            ORDER BY w.id FOR NO KEY UPDATE OF w
        ), ended AS (
            UPDATE webhooks w SET disabled_at = clock_timestamp(),
                                  disabled_because = CASE WHEN l.gone THEN 'gone' ELSE 'failing' END
            FROM locked l WHERE w.id = l.id
            RETURNING w.id, w.workspace_id, w.user_id, w.label, w.disabled_because, l.run_id
        ), audited AS (
            INSERT INTO audit (action, workspace_id, details)
            SELECT $5, workspace_id,
                   json_build_object('webhook_id', id, 'user_id', user_id, 'reason_code', disabled_because)
            FROM ended
        )
        SELECT id, label, disabled_because, run_id FROM ended ORDER BY id
        """

    /// Whose webhook it is, and who keeps the webhooks of the workspace. The run is the one that could not be told of.
    private static let telling: Statement = """
        INSERT INTO notifications (run_id, channel, webhook_id, workspace_id, tenant_id, user_id, title, body, event)
        SELECT r.id, 'inbox', w.id, r.workspace_id, r.tenant_id, p.user_id, o.title, o.body, n.event
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS o (webhook_id, run_id, title, body)
        JOIN webhooks w ON w.id = o.webhook_id
        JOIN runs r ON r.id = o.run_id
        JOIN notifications n ON n.run_id = r.id AND n.channel = 'webhook' AND n.webhook_id = w.id
        CROSS JOIN LATERAL (
            SELECT w.user_id
            UNION
            (SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL
             WHERE m.workspace_id = w.workspace_id AND m.tenant_id IS NULL AND m.revoked_at IS NULL
               AND m.role = ANY ($5::text[])
             LIMIT $6::int)
        ) p
        ORDER BY r.id, p.user_id, w.id
        ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING
        """

    private static func end(
        _ tries: [TriedDelivery], _ notice: (String, Ending) -> Notice, in transaction: Transaction
    ) async throws {
        let candidates = tries.filter(\.mayEndWebhook)
        guard !candidates.isEmpty else { return }
        let ended = try await transaction.query(
            ending,
            [
                .uuids(candidates.map { $0.delivery.webhookID?.uuid }),
                .uuids(candidates.map(\.delivery.runID.uuid)), .bools(candidates.map(\.isGone)),
                .double(patienceSeconds), .text(AuditAction.webhookDisabled.rawValue),
            ])
        guard !ended.isEmpty else { return }
        let notices = try ended.map { row in
            let word = try row.text("disabled_because")
            guard let ending = Ending(rawValue: word) else {
                throw StoreError.unreadable("disabled_because", word)
            }
            return notice(try row.text("label"), ending)
        }
        try transaction.enqueue(
            telling,
            [
                .uuids(try ended.map { try $0.uuid("id") }), .uuids(try ended.map { try $0.uuid("run_id") }),
                .texts(notices.map(\.title)), .texts(notices.map(\.body)),
                .texts(NotificationPolicy.keeping.map(\.rawValue)), .int(keeperLimit),
            ])
    }
}

extension DueDelivery {
    fileprivate init(_ row: Row, keys: [UUID: [Key]]) throws {
        let recipient = try row.uuid("user_id")
        self.init(
            id: DeliveryID(try row.uuid("id")), runID: RunID(try row.uuid("run_id")),
            workspaceID: WorkspaceID(try row.uuid("workspace_id")), recipient: UserID(recipient),
            lane: try row.uuidOrNil("webhook_id") ?? recipient, title: try row.text("title"),
            body: try row.text("body"), createdAt: try row.date("created_at"),
            event: TerminalEvent(body: try row.bytes("event")), attempt: try row.int("attempts"),
            target: try Self.target(row, keys), leaseUntil: try row.date("next_delivery_at"))
    }

    private static func target(_ row: Row, _ keys: [UUID: [Key]]) throws -> Target? {
        if let id = try row.uuidOrNil("endpoint_id") {
            return .webhook(
                Endpoint(
                    id: WebhookID(id), signing: try row.signing("signing"),
                    address: SealedValue(
                        keyID: try row.text("url_key_id"), bytes: try row.bytes("sealed_url")),
                    keys: keys[id] ?? []))
        }
        return try row.textOrNil("address").map(Target.email)
    }
}

extension Row {
    /// How a webhook signs. The table's check knows the same words.
    func signing(_ column: String) throws -> WebhookSigning {
        let word = try text(column)
        guard let signing = WebhookSigning(rawValue: word) else { throw StoreError.unreadable(column, word) }
        return signing
    }
}
