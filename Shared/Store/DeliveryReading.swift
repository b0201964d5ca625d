package import FoundationEssentials
package import Operations
package import Postgres

/// A notification on its way to a webhook or by e-mail, with what came of each try.
package struct DeliverySummary: Sendable, Hashable {
    package typealias Named = RunSummary.Named

    /// One try whose end was written down.
    package struct Try: Sendable, Hashable {
        /// 1 for the first; a number is missing when the try's end was lost with its program.
        package let attempt: Int
        package let at: Date
        /// A word of ``TriedDelivery/Result``.
        package let result: String
        /// The receiver's HTTP status, or the mail relay's reply code.
        package let status: Int?
    }

    package let id: DeliveryID
    package let run: RunID
    package let tenant: Named<Subject.Tenant>
    package let channel: NotificationPolicy.Channel
    package let recipient: Named<Subject.User>
    /// Nil for e-mail.
    package let webhook: Named<Subject.Webhook>?
    package let title: String
    package let state: DeliveryState
    package let attempts: Int
    package let createdAt: Date
    package let nextTryAt: Date?
    /// The latest ``DeliveryReading/tryLimit``, in order.
    package let tries: [Try]
}

/// Shows what was delivered how, and asks for one try more. Who may do so is for the caller to decide.
package struct DeliveryReading: Sendable {
    /// Which deliveries are asked for.
    package enum Filter: Sendable, Hashable {
        /// Of a run, all or to one webhook.
        case run(RunID, WebhookID?)
        case webhook(WebhookID)
        case workspace(WorkspaceID)
    }

    /// What came of the wish for one try more.
    package enum Repetition: Sendable, Hashable {
        case due
        /// Nobody wants it any more: its webhook is switched off or removed, the mails are, or the person is disabled.
        case unwanted
    }

    /// The most tries that are shown of one delivery.
    package static let tryLimit = 50

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: showing

    /// Where a page goes on: below the delivery `$2`, or at the begin of the list. Values and not `IS NULL OR`, so that
    /// the indexes are read from there.
    private static let ofRun: Statement = """
        SELECT * FROM delivery_summaries
        WHERE run_id = $1::uuid AND ($4::uuid IS NULL OR webhook_id = $4::uuid) AND id < $2::uuid
        ORDER BY id DESC LIMIT $3::int
        """

    private static let ofWebhook: Statement = """
        SELECT * FROM delivery_summaries
        WHERE webhook_id = $1::uuid
          AND (run_id, id) < (coalesce((SELECT b.run_id FROM notifications b WHERE b.id = $2::uuid),
                                       'ffffffff-ffff-ffff-ffff-ffffffffffff'), $2::uuid)
        ORDER BY run_id DESC, id DESC LIMIT $3::int
        """

    private static let ofWorkspace: Statement = """
        SELECT * FROM delivery_summaries
        WHERE workspace_id = $1::uuid
          AND (run_id, id) < (coalesce((SELECT b.run_id FROM notifications b WHERE b.id = $2::uuid),
                                       'ffffffff-ffff-ffff-ffff-ffffffffffff'), $2::uuid)
        ORDER BY run_id DESC, id DESC LIMIT $3::int
        """

    private static let one: Statement = "SELECT * FROM delivery_summaries WHERE id = $1::uuid"

    private static let tries: Statement = """
        SELECT d.notification_id, d.attempt, d.at, d.result, d.status
        FROM unnest($1::uuid[]) AS n (id)
        CROSS JOIN LATERAL (
            SELECT * FROM delivery_tries d WHERE d.notification_id = n.id ORDER BY d.attempt DESC LIMIT $2::int
        ) d
        ORDER BY d.notification_id, d.attempt
        """

    /// Deliveries, of the latest runs first.
    package func list(
        _ filter: Filter, before: DeliveryID?, limit: Int
    ) async throws -> Page<DeliverySummary> {
        let place: [Parameter] = [
            .uuid(before?.uuid ?? RunReading.last), .int(Page<DeliverySummary>.rows(for: limit)),
        ]
        let rows =
            switch filter {
            case .run(let run, let webhook):
                try await pool.query(
                    Self.ofRun, [.uuid(run.uuid)] + place + [webhook.map { .uuid($0.uuid) } ?? .null])
            case .webhook(let webhook):
                try await pool.query(Self.ofWebhook, [.uuid(webhook.uuid)] + place)
            case .workspace(let workspace):
                try await pool.query(Self.ofWorkspace, [.uuid(workspace.uuid)] + place)
            }
        return Page(rows: try await withTries(rows), limit: limit)
    }

    /// One delivery; nil when there is none.
    package func delivery(_ id: DeliveryID) async throws -> DeliverySummary? {
        try await withTries(pool.query(Self.one, [.uuid(id.uuid)])).first
    }

    private func withTries(_ rows: Rows) async throws -> [DeliverySummary] {
        let ids = try rows.map { try $0.uuid("id") }
        var tries: [UUID: [DeliverySummary.Try]] = [:]
        for row in try await pool.query(Self.tries, [.uuids(ids), .int(Self.tryLimit)]) {
            let one = DeliverySummary.Try(
                attempt: try row.int("attempt"), at: try row.date("at"), result: try row.text("result"),
                status: try row.intOrNil("status"))
            tries[try row.uuid("notification_id"), default: []].append(one)
        }
        return try zip(ids, rows).map { id, row in try DeliverySummary(row, tries: tries[id] ?? []) }
    }

    // MARK: repeating

    private static let find: Statement = """
        SELECT n.run_id, n.tenant_id,
               u.disabled_at IS NULL
                   AND CASE n.channel WHEN 'webhook' THEN w.disabled_at IS NULL AND w.removed_at IS NULL
                       ELSE coalesce(s.enabled, false) END AS wanted
        FROM notifications n
        JOIN users u ON u.id = n.user_id
        LEFT JOIN webhooks w ON w.id = n.webhook_id
        LEFT JOIN email_settings s ON s.user_id = n.user_id
        WHERE n.workspace_id = $1::uuid AND n.id = $2::uuid AND n.channel <> 'inbox'
        FOR UPDATE OF n
        """

    private static let wake: Statement = """
        WITH woken AS (
            UPDATE notifications SET next_delivery_at = clock_timestamp(), delivered_at = NULL, given_up_at = NULL
            WHERE id = $1::uuid
            RETURNING id, workspace_id, tenant_id, run_id, channel
        )
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, run_id, details)
        SELECT $2, workspace_id, tenant_id, $3::uuid, run_id,
               json_build_object('delivery_id', id, 'channel', channel)
        FROM woken
        """

    /// Makes one try more due now, under the same id, whatever came of those before; what is left of the schedule goes
    /// on after it. Throws ``StoreError/notFound(_:)`` when there is no such delivery.
    package func repeatDelivery(
        _ id: DeliveryID, in workspace: WorkspaceID, by user: UserID
    ) async throws -> Repetition {
        try await pool.transaction { transaction in
            let rows = try await transaction.query(Self.find, [.uuid(workspace.uuid), .uuid(id.uuid)])
            guard let row = rows.first else { throw StoreError.notFound("delivery") }
            guard try row.bool("wanted") else { return .unwanted }
            _ = try await transaction.finish(
                Self.wake,
                [.uuid(id.uuid), .text(AuditAction.deliveryRepeated.rawValue), .uuid(user.uuid)])
            return .due
        }
    }
}

extension DeliverySummary {
    fileprivate init(_ row: Row, tries: [Try]) throws {
        let next = try row.dateOrNil("next_delivery_at")
        let isDelivered = try row.dateOrNil("delivered_at") != nil
        self.init(
            id: DeliveryID(try row.uuid("id")), run: RunID(try row.uuid("run_id")),
            tenant: Named(id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            channel: try row.channel("channel"),
            recipient: Named(id: UserID(try row.uuid("user_id")), name: try row.text("user_name")),
            webhook: try row.uuidOrNil("webhook_id").map {
                Named(id: WebhookID($0), name: try row.text("label"))
            },
            title: try row.text("title"), state: isDelivered ? .delivered : next == nil ? .givenUp : .waiting,
            attempts: try row.int("attempts"), createdAt: try row.date("created_at"), nextTryAt: next,
            tries: tries)
    }
}
