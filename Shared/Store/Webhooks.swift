package import FoundationEssentials
package import Operations
package import Postgres

/// A webhook as people see it: nothing of it is secret.
package struct Webhook: Sendable, Hashable {
    package typealias Named = RunSummary.Named

    /// One of its signing keys.
    package struct Key: Sendable, Hashable {
        /// Counts the keys that the webhook has had.
        package let number: Int
        /// What receivers verify with, where that is no secret.
        package let publicKey: String?
        package let createdAt: Date
        /// Nil for the latest.
        package let expiresAt: Date?
    }

    package let id: WebhookID
    package let workspaceID: WorkspaceID
    /// Who is told by it of the ends of their runs.
    package let user: Named<Subject.User>
    package let label: String
    /// Scheme, host and port.
    package let origin: String
    package let signing: WebhookSigning
    package let disabledAt: Date?
    /// In a stable word: `person`, `gone`, `failing`.
    package let disabledBecause: String?
    /// When the first try failed of those that no success has followed.
    package let failingSince: Date?
    package let createdAt: Date
    /// Those that sign now, the latest first.
    package let keys: [Key]
}

/// What a webhook is to be. The caller made its ids, and sealed what is secret.
package struct NewWebhook: Sendable {
    package let id: WebhookID
    package let user: UserID
    /// 1 to 200 characters.
    package let label: String
    package let origin: String
    package let address: SealedValue
    package let signing: WebhookSigning
    package let key: NewKey

    /// A signing key to be.
    package struct NewKey: Sendable {
        package let secret: SealedValue
        package let publicKey: String?

        package init(secret: SealedValue, publicKey: String?) {
            self.secret = secret
            self.publicKey = publicKey
        }
    }

    package init(
        id: WebhookID, user: UserID, label: String, origin: String, address: SealedValue,
        signing: WebhookSigning, key: NewKey
    ) {
        self.id = id
        self.user = user
        self.label = label
        self.origin = origin
        self.address = address
        self.signing = signing
        self.key = key
    }
}

/// Makes, shows, switches and removes webhooks, and changes their keys. Who may do so is for the caller to decide.
/// ``Deliveries`` sends to them.
package struct Webhooks: Sendable {
    /// The most webhooks of one person or system, and of a workspace.
    package static let userLimit = 10
    package static let workspaceLimit = 100
    /// The most keys that sign at a time.
    package static let keyLimit = 4

    /// What came of the wish for a new one.
    package enum Creation: Sendable, Hashable {
        case created
        /// The person or the workspace has as many as it may.
        case tooMany
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: making

    /// Under the workspace's lock, so that the limits hold.
    private static let room: Statement = """
        SELECT u.id,
               (SELECT count(*) FROM webhooks w WHERE w.user_id = u.id AND w.removed_at IS NULL) AS own,
               (SELECT count(*) FROM webhooks w WHERE w.workspace_id = s.id AND w.removed_at IS NULL) AS total
        FROM workspaces s JOIN users u ON u.workspace_id = s.id
        WHERE s.id = $1::uuid AND u.id = $2::uuid
        """

    private static let lock: Statement = "SELECT FROM workspaces WHERE id = $1::uuid FOR NO KEY UPDATE"

    private static let insert: Statement = """
        WITH made AS (
            INSERT INTO webhooks (id, workspace_id, user_id, label, origin, url_key_id, sealed_url, signing, created_by)
            VALUES ($1::uuid, $2::uuid, $3::uuid, $4, $5, $6, $7::bytea, $8, $9::uuid)
            RETURNING id, workspace_id, user_id, label, origin
        ), keyed AS (
            INSERT INTO webhook_keys (webhook_id, number, key_id, sealed, public_key)
            SELECT id, 1, $10, $11::bytea, $12 FROM made
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $13, workspace_id, $9::uuid,
               json_build_object('webhook_id', id, 'user_id', user_id, 'label', label, 'origin', origin)
        FROM made
        """

    /// Makes a webhook, enabled. Throws ``StoreError/notFound(_:)`` when its person is not of the workspace.
    package func create(
        _ new: NewWebhook, in workspace: WorkspaceID, by user: UserID
    ) async throws -> Creation {
        try await pool.transaction { transaction in
            let rows = try await transaction.pipeline([
                (Self.lock, [.uuid(workspace.uuid)]),
                (Self.room, [.uuid(workspace.uuid), .uuid(new.user.uuid)]),
            ])
            guard let row = rows[1].first else { throw StoreError.notFound("user") }
            guard try row.int("own") < Self.userLimit, try row.int("total") < Self.workspaceLimit else {
                return .tooMany
            }
            _ = try await transaction.finish(
                Self.insert,
                [
                    .uuid(new.id.uuid), .uuid(workspace.uuid), .uuid(new.user.uuid), .text(new.label),
                    .text(new.origin), .text(new.address.keyID), .bytes(new.address.bytes),
                    .text(new.signing.rawValue), .uuid(user.uuid), .text(new.key.secret.keyID),
                    .bytes(new.key.secret.bytes), new.key.publicKey.map(Parameter.text) ?? .null,
                    .text(AuditAction.webhookCreated.rawValue),
                ])
            return .created
        }
    }

    // MARK: changing

    private static let keyed: Statement = """
        SELECT (SELECT max(number) FROM webhook_keys k WHERE k.webhook_id = w.id) AS number,
               (SELECT count(*) FROM webhook_keys k
                WHERE k.webhook_id = w.id AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())) AS count
        FROM webhooks w WHERE w.workspace_id = $1::uuid AND w.id = $2::uuid AND w.removed_at IS NULL
        FOR NO KEY UPDATE OF w
        """

    /// What signed before goes on for the overlap, but never longer than it was to.
    private static let retire: Statement = """
        UPDATE webhook_keys SET
            expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $2::float8))
        WHERE webhook_id = $1::uuid
        """

    private static let forget: Statement =
        "DELETE FROM webhook_keys WHERE webhook_id = $1::uuid AND expires_at <= clock_timestamp()"

    private static let rekey: Statement = """
        WITH keyed AS (
            INSERT INTO webhook_keys (webhook_id, number, key_id, sealed, public_key)
            VALUES ($1::uuid, $2::int, $3, $4::bytea, $5)
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $6, workspace_id, $7::uuid,
               json_build_object('webhook_id', id, 'key', $2::int, 'overlap_seconds', $8::float8::bigint)
        FROM webhooks WHERE id = $1::uuid
        """

    /// Gives a webhook another key, which `make` seals for this number; those that signed before do so for
    /// `overlapSeconds` more. False when ``keyLimit`` keys sign already. Throws ``StoreError/notFound(_:)``.
    package func rotate(
        _ id: WebhookID, overlapSeconds: Int, in workspace: WorkspaceID, by user: UserID,
        make: @Sendable (_ number: Int) throws -> NewWebhook.NewKey
    ) async throws -> Bool {
        try await pool.transaction { transaction in
            let rows = try await transaction.query(Self.keyed, [.uuid(workspace.uuid), .uuid(id.uuid)])
            guard let row = rows.first else { throw StoreError.notFound("webhook") }
            guard try row.int("count") < Self.keyLimit || overlapSeconds == 0 else { return false }
            let number = try row.int("number") + 1
            let key = try make(number)
            try transaction.enqueue(Self.retire, [.uuid(id.uuid), .double(Double(overlapSeconds))])
            try transaction.enqueue(Self.forget, [.uuid(id.uuid)])
            _ = try await transaction.finish(
                Self.rekey,
                [
                    .uuid(id.uuid), .int(number), .text(key.secret.keyID), .bytes(key.secret.bytes),
                    key.publicKey.map(Parameter.text) ?? .null,
                    .text(AuditAction.webhookKeyRotated.rawValue), .uuid(user.uuid),
                    .double(Double(overlapSeconds)),
                ])
            return true
        }
    }

    private static let change: Statement = """
        WITH found AS (
            SELECT id, workspace_id, user_id, disabled_at IS NULL AS enabled FROM webhooks
            WHERE workspace_id = $1::uuid AND id = $2::uuid AND removed_at IS NULL
            FOR NO KEY UPDATE
        ), changed AS (
            UPDATE webhooks w SET disabled_at = CASE WHEN $3::boolean THEN NULL ELSE clock_timestamp() END,
                                  disabled_because = CASE WHEN $3::boolean THEN NULL ELSE 'person' END,
                                  failing_since = NULL
            FROM found f WHERE w.id = f.id AND f.enabled <> $3::boolean
            RETURNING w.id, w.workspace_id, w.user_id
        ), audited AS (
            INSERT INTO audit (action, workspace_id, actor_id, details)
            SELECT $4, workspace_id, $5::uuid,
                   json_build_object('webhook_id', id, 'user_id', user_id, 'reason_code', 'person')
            FROM changed
        )
        SELECT id FROM found
        """

    /// Switches a webhook on or off; nothing happens when it is so already. What waits for it is given up when it is off.
    /// Throws ``StoreError/notFound(_:)``.
    package func setEnabled(
        _ id: WebhookID, _ isEnabled: Bool, in workspace: WorkspaceID, by user: UserID
    ) async throws {
        let action: AuditAction = isEnabled ? .webhookEnabled : .webhookDisabled
        let rows = try await pool.query(
            Self.change,
            [
                .uuid(workspace.uuid), .uuid(id.uuid), .bool(isEnabled), .text(action.rawValue),
                .uuid(user.uuid),
            ])
        if rows.isEmpty { throw StoreError.notFound("webhook") }
    }

    private static let remove: Statement = """
        WITH removed AS (
            UPDATE webhooks SET removed_at = clock_timestamp(), url_key_id = NULL, sealed_url = NULL
            WHERE workspace_id = $1::uuid AND id = $2::uuid AND removed_at IS NULL
            RETURNING id, workspace_id, user_id, label, origin
        ), forgotten AS (
            DELETE FROM webhook_keys k USING removed r WHERE k.webhook_id = r.id
        ), audited AS (
            INSERT INTO audit (action, workspace_id, actor_id, details)
            SELECT $3, workspace_id, $4::uuid,
                   json_build_object('webhook_id', id, 'user_id', user_id, 'label', label, 'origin', origin)
            FROM removed
        )
        SELECT id FROM removed
        """

    /// Removes a webhook and everything secret of it; the history of its deliveries stays. Throws
    /// ``StoreError/notFound(_:)``.
    package func remove(_ id: WebhookID, in workspace: WorkspaceID, by user: UserID) async throws {
        let rows = try await pool.query(
            Self.remove,
            [
                .uuid(workspace.uuid), .uuid(id.uuid), .text(AuditAction.webhookRemoved.rawValue),
                .uuid(user.uuid),
            ])
        if rows.isEmpty { throw StoreError.notFound("webhook") }
    }

    // MARK: showing

    private static let page: Statement = """
        SELECT w.id, w.workspace_id, w.user_id, u.name AS user_name, w.label, w.origin, w.signing, w.disabled_at,
               w.disabled_because, w.failing_since, w.created_at
        FROM webhooks w JOIN users u ON u.id = w.user_id
        WHERE w.workspace_id = $1::uuid AND w.removed_at IS NULL
          AND w.id > $2::uuid AND ($3::uuid IS NULL OR w.id = $3::uuid)
        ORDER BY w.id LIMIT $4::int
        """

    private static let keys: Statement = """
        SELECT webhook_id, number, public_key, created_at, expires_at FROM webhook_keys
        WHERE webhook_id = ANY ($1::uuid[]) AND (expires_at IS NULL OR expires_at > clock_timestamp())
        ORDER BY webhook_id, number DESC
        """

    /// The webhooks of a workspace, in the order in which they were made.
    package func list(of workspace: WorkspaceID, after: WebhookID?, limit: Int) async throws -> Page<Webhook>
    {
        let rows = try await webhooks(
            of: workspace, after: after?.uuid ?? TenantReading.first, only: nil,
            limit: Page<Webhook>.rows(for: limit))
        return Page(rows: rows, limit: limit)
    }

    /// One webhook; nil when there is none.
    package func webhook(_ id: WebhookID, in workspace: WorkspaceID) async throws -> Webhook? {
        try await webhooks(of: workspace, after: TenantReading.first, only: id, limit: 1).first
    }

    private func webhooks(
        of workspace: WorkspaceID, after: UUID, only: WebhookID?, limit: Int
    ) async throws -> [Webhook] {
        let rows = try await pool.query(
            Self.page,
            [.uuid(workspace.uuid), .uuid(after), only.map { .uuid($0.uuid) } ?? .null, .int(limit)])
        var keys: [UUID: [Webhook.Key]] = [:]
        for row in try await pool.query(Self.keys, [.uuids(try rows.map { try $0.uuid("id") })]) {
            let key = Webhook.Key(
                number: try row.int("number"), publicKey: try row.textOrNil("public_key"),
                createdAt: try row.date("created_at"), expiresAt: try row.dateOrNil("expires_at"))
            keys[try row.uuid("webhook_id"), default: []].append(key)
        }
        return try rows.map { try Webhook($0, keys: keys[$0.uuid("id")] ?? []) }
    }
}

extension Webhook {
    fileprivate init(_ row: Row, keys: [Key]) throws {
        self.init(
            id: WebhookID(try row.uuid("id")), workspaceID: WorkspaceID(try row.uuid("workspace_id")),
            user: Named(id: UserID(try row.uuid("user_id")), name: try row.text("user_name")),
            label: try row.text("label"), origin: try row.text("origin"), signing: try row.signing("signing"),
            disabledAt: try row.dateOrNil("disabled_at"),
            disabledBecause: try row.textOrNil("disabled_because"),
            failingSince: try row.dateOrNil("failing_since"), createdAt: try row.date("created_at"),
            keys: keys)
    }
}
