package import FoundationEssentials
package import Operations
package import Postgres

/// Begins and ends people's sessions with the console.
///
/// A session is a token whose secret the person's browser keeps: ``Principals`` reads it at each request like any
/// other, so whoever is disabled is out at once, and the API takes it, so the console needs no right to act for others. It
/// ends after a fixed time, and when it was not used for its idle time.
package struct Sessions: Sendable {
    /// The most sessions of one person at a time: the next one ends the oldest.
    package static let userLimit = 20

    /// How long a session lasts, in seconds.
    package struct Lifetime: Sendable, Hashable {
        /// Without a request. At most a day.
        package let idle: Int
        /// In all.
        package let absolute: Int

        package init(idle: Int, absolute: Int) {
            self.idle = idle
            self.absolute = absolute
        }
    }

    /// How somebody showed who they are.
    package enum Proof: String, Sendable {
        case password, openID = "openid"
    }

    private let pool: PostgresPool
    private let makeID: @Sendable () -> UUID

    /// `makeID` makes ids in the order of time.
    package init(pool: PostgresPool, makeID: @escaping @Sendable () -> UUID) {
        self.pool = pool
        self.makeID = makeID
    }

    private static let begin: Statement = """
        WITH crowded AS (
            SELECT id FROM api_tokens
            WHERE user_id = $2::uuid AND idle_seconds IS NOT NULL AND revoked_at IS NULL
            ORDER BY id DESC OFFSET $6::int - 1
        ), ended AS (
            UPDATE api_tokens SET revoked_at = clock_timestamp() WHERE id IN (SELECT id FROM crowded)
        ), begun AS (
            INSERT INTO api_tokens (id, workspace_id, user_id, label, token_hash, expires_at, idle_seconds, issued_by)
            SELECT $1::uuid, workspace_id, id, 'console session', $3::bytea,
                   clock_timestamp() + make_interval(secs => $5::float8), $4::int, id
            FROM users WHERE id = $2::uuid AND disabled_at IS NULL AND kind = 'person'
            RETURNING id, workspace_id, user_id, expires_at
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $7, workspace_id, user_id, jsonb_build_object('token_id', id, 'proof', $8::text, 'expires_at', expires_at)
        FROM begun
        """

    /// Begins a session under the SHA-256 of its secret. Throws ``StoreError/notFound(_:)`` when there is no such person,
    /// or the person is disabled.
    package func begin(
        for user: UserID, hash: [UInt8], lifetime: Lifetime, proof: Proof
    ) async throws {
        precondition(hash.count == Principals.hashLength, "a session is stored as its SHA-256")
        let written = try await pool.query(
            Self.begin,
            [
                .uuid(makeID()), .uuid(user.uuid), .bytes(hash), .int(lifetime.idle),
                .double(Double(lifetime.absolute)), .int(Self.userLimit),
                .text(AuditAction.sessionBegan.rawValue), .text(proof.rawValue),
            ])
        if written.affected == 0 { throw StoreError.notFound("user") }
    }

    private static let end: Statement = """
        WITH ended AS (
            UPDATE api_tokens SET revoked_at = clock_timestamp()
            WHERE id = $1::uuid AND revoked_at IS NULL AND idle_seconds IS NOT NULL
            RETURNING id, workspace_id, user_id
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $2, workspace_id, user_id, jsonb_build_object('token_id', id) FROM ended
        """

    /// Ends a session, from the next request on. One that has ended before stays as it is.
    package func end(_ tokenID: UUID) async throws {
        _ = try await pool.query(Self.end, [.uuid(tokenID), .text(AuditAction.sessionEnded.rawValue)])
    }
}
