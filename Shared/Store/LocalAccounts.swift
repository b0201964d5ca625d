package import Operations
package import Postgres

/// Accounts with a password, and who people are at identity providers. Passwords are only ever seen as what a
/// ``PasswordHash`` made of them.
package struct LocalAccounts: Sendable {
    /// An account as it is looked up by its login.
    package struct Account: Sendable {
        package let user: UserID
        /// In the form of the PHC: `$scrypt$…`.
        package let password: String
    }

    /// The longest login, in characters.
    package static let loginLimit = 200

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let find: Statement = """
        SELECT a.user_id, a.password FROM local_accounts a JOIN users u ON u.id = a.user_id
        WHERE a.login = lower($1) AND u.disabled_at IS NULL
        """

    /// The account with this login, whatever its case; nil when there is none, or its person is disabled.
    package func account(login: String) async throws -> Account? {
        try await pool.query(Self.find, [.text(login)]).first.map { row in
            Account(user: UserID(try row.uuid("user_id")), password: try row.text("password"))
        }
    }

    private static let set: Statement = """
        WITH written AS (
            INSERT INTO local_accounts (user_id, workspace_id, login, password)
            SELECT id, workspace_id, lower($2), $3 FROM users WHERE id = $1::uuid AND kind = 'person'
            ON CONFLICT (user_id) DO UPDATE
            SET login = excluded.login, password = excluded.password, changed_at = clock_timestamp()
            RETURNING user_id, workspace_id, login
        ), ended AS (
            -- Whoever knew the old one is out.
            UPDATE api_tokens SET revoked_at = clock_timestamp()
            WHERE user_id IN (SELECT user_id FROM written) AND idle_seconds IS NOT NULL AND revoked_at IS NULL
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $4, workspace_id, $5::uuid, jsonb_build_object('user_id', user_id, 'login', login, 'set', true) FROM written
        """

    /// Gives a person a login and a password, in place of what there was, and ends the person's sessions. Throws
    /// ``StoreError/notFound(_:)`` when there is no such person.
    package func set(
        _ login: String, password: String, of user: UserID, by actor: AuditRecord.Actor
    ) async throws {
        let written = try await pool.query(
            Self.set,
            [
                .uuid(user.uuid), .text(login), .text(password), .text(AuditAction.accountChanged.rawValue),
                actor.parameter,
            ])
        if written.affected == 0 { throw StoreError.notFound("user") }
    }

    private static let identity: Statement = """
        SELECT i.user_id FROM identities i JOIN users u ON u.id = i.user_id
        WHERE i.issuer = $1 AND i.subject = $2 AND u.disabled_at IS NULL
        """

    /// Who the person with this subject at this issuer is; nil when nobody linked them, or they are disabled.
    package func user(issuer: String, subject: String) async throws -> UserID? {
        try await pool.query(Self.identity, [.text(issuer), .text(subject)]).first.map {
            UserID(try $0.uuid("user_id"))
        }
    }

    private static let link: Statement = """
        WITH written AS (
            INSERT INTO identities (issuer, subject, user_id, workspace_id)
            SELECT $2, $3, id, workspace_id FROM users WHERE id = $1::uuid AND kind = 'person'
            ON CONFLICT (issuer, subject) DO UPDATE
            SET user_id = excluded.user_id, workspace_id = excluded.workspace_id, linked_at = clock_timestamp()
            RETURNING user_id, workspace_id
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $4, workspace_id, $5::uuid,
               jsonb_build_object('user_id', user_id, 'issuer', $2::text, 'subject', $3::text)
        FROM written
        """

    /// Links a person to an account at an identity provider, in place of whom it was linked to. Throws
    /// ``StoreError/notFound(_:)`` when there is no such person.
    package func link(
        issuer: String, subject: String, to user: UserID, by actor: AuditRecord.Actor
    ) async throws {
        let written = try await pool.query(
            Self.link,
            [
                .uuid(user.uuid), .text(issuer), .text(subject),
                .text(AuditAction.identityChanged.rawValue), actor.parameter,
            ])
        if written.affected == 0 { throw StoreError.notFound("user") }
    }
}
