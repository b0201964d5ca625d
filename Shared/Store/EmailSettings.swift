package import Operations
package import Postgres

/// Who wants to be told by e-mail, and where. Each person decides for themselves; nobody is mailed unasked.
package struct EmailSettings: Sendable {
    /// What a person has set.
    package struct Setting: Sendable, Hashable {
        package let address: String
        package let isEnabled: Bool

        package init(address: String, isEnabled: Bool) {
            self.address = address
            self.isEnabled = isEnabled
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let read: Statement =
        "SELECT address, enabled FROM email_settings WHERE user_id = $1::uuid"

    /// Nil when the person has set nothing.
    package func setting(of user: UserID) async throws -> Setting? {
        try await pool.query(Self.read, [.uuid(user.uuid)]).first.map { row in
            Setting(address: try row.text("address"), isEnabled: try row.bool("enabled"))
        }
    }

    /// The address is personal: it is not audited.
    private static let write: Statement = """
        WITH before AS (
            SELECT address, enabled FROM email_settings WHERE user_id = $1::uuid
        ), written AS (
            INSERT INTO email_settings (user_id, workspace_id, address, enabled)
            SELECT id, workspace_id, $2, $3::boolean FROM users WHERE id = $1::uuid
            ON CONFLICT (user_id) DO UPDATE
                SET address = excluded.address, enabled = excluded.enabled, changed_at = clock_timestamp()
            RETURNING user_id, workspace_id, enabled
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $4, workspace_id, user_id, json_build_object('user_id', user_id, 'enabled', enabled) FROM written
        WHERE NOT EXISTS (SELECT FROM before WHERE address = $2 AND enabled = $3::boolean)
        """

    /// Sets it, in place of what was set before. The caller has checked the address.
    package func set(_ setting: Setting, of user: UserID) async throws {
        _ = try await pool.query(
            Self.write,
            [
                .uuid(user.uuid), .text(setting.address), .bool(setting.isEnabled),
                .text(AuditAction.emailChanged.rawValue),
            ])
    }

    private static let remove: Statement = """
        WITH removed AS (
            DELETE FROM email_settings WHERE user_id = $1::uuid RETURNING user_id, workspace_id
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $2, workspace_id, user_id, json_build_object('user_id', user_id, 'enabled', false) FROM removed
        """

    /// Forgets the address. Nothing happens when there is none.
    package func remove(of user: UserID) async throws {
        _ = try await pool.query(
            Self.remove, [.uuid(user.uuid), .text(AuditAction.emailChanged.rawValue)])
    }
}
