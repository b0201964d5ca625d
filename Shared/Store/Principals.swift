package import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// Whoever a bearer token stands for, as it was read at this request.
package struct Principal: Sendable, Hashable {
    /// A human, or an upstream system with an account of its own.
    package enum Kind: String, Sendable {
        case person, system
    }

    /// The token that was shown; what is counted per token is counted under it.
    package let tokenID: UUID
    package let userID: UserID
    package let workspaceID: WorkspaceID
    package let name: String
    package let kind: Kind
    /// What the token may be used for at most.
    package let scope: TokenScope
}

/// Tells who a bearer token stands for, issues tokens and revokes them.
///
/// The store only ever sees a token's SHA-256. Nothing is remembered between requests: a revoked token and a
/// disabled person are out at the next one. Tokens that are shown at the same time share a query.
package struct Principals: Sendable {
    /// How long a hash is, in bytes.
    package static let hashLength = 32

    private let pool: PostgresPool
    private let logins: GroupCommit<[UInt8], Principal?>

    package init(pool: PostgresPool) {
        self.pool = pool
        logins = GroupCommit { hashes in
            let rows = try await pool.query(Self.find, [.byteArrays(Array(Set(hashes)))])
            var principals: [[UInt8]: Principal] = [:]
            var unmarked: [UUID] = []
            for row in rows {
                let principal = try Principal(row)
                principals[try row.bytes("token_hash")] = principal
                if try row.bool("is_unmarked") { unmarked.append(principal.tokenID) }
            }
            // When a token was used is told to people: nobody is turned away because it could not be written.
            if !unmarked.isEmpty { _ = try? await pool.query(Self.mark, [.uuids(unmarked)]) }
            return hashes.map { principals[$0] }
        }
    }

    private static let find: Statement = """
        SELECT k.token_hash, k.id AS token_id, u.id AS user_id, u.workspace_id, u.name, u.kind,
               array_to_string(k.capabilities, ' ') AS capabilities,
               array_to_string(k.tenant_ids, ' ') AS tenant_ids,
               k.last_used_at IS NULL
                   OR k.last_used_at < clock_timestamp()
                      - coalesce(make_interval(secs => k.idle_seconds / 20.0), interval '10 minutes') AS is_unmarked
        FROM api_tokens k JOIN users u ON u.id = k.user_id
        WHERE k.token_hash = ANY ($1::bytea[]) AND k.revoked_at IS NULL
          AND k.expires_at > clock_timestamp() AND u.disabled_at IS NULL
          AND (k.idle_seconds IS NULL
               OR coalesce(k.last_used_at, k.created_at) > clock_timestamp() - make_interval(secs => k.idle_seconds))
        """

    /// Once in ten minutes a token, whoever uses it where; a session's in a twentieth of its idle time.
    private static let mark: Statement = """
        UPDATE api_tokens SET last_used_at = clock_timestamp()
        WHERE id = ANY ($1::uuid[])
          AND (last_used_at IS NULL
               OR last_used_at < clock_timestamp()
                  - coalesce(make_interval(secs => idle_seconds / 20.0), interval '10 minutes'))
        """

    /// Whoever the token with this SHA-256 stands for; nil when it is unknown, expired or revoked, or its
    /// person is disabled, or it is a session that nobody used for too long. Throws the database's error when nobody can tell.
    package func authenticate(hash: [UInt8]) async throws -> Principal? {
        guard hash.count == Self.hashLength else { return nil }
        return try await logins.submit(hash)
    }

    /// The same without being noted as a use: for what goes on by itself.
    package func standing(hash: [UInt8]) async throws -> Principal? {
        try await pool.query(Self.find, [.byteArrays([hash])]).first.map(Principal.init)
    }

    private static let insert: Statement = """
        WITH issued AS (
            INSERT INTO api_tokens (id, workspace_id, user_id, label, token_hash, expires_at, capabilities,
                                    tenant_ids, issued_by)
            SELECT $1::uuid, u.workspace_id, u.id, $4, $5::bytea,
                   clock_timestamp() + make_interval(secs => $6::float8), $9::text[], $10::uuid[], $8::uuid
            FROM users u WHERE u.workspace_id = $2::uuid AND u.id = $3::uuid
              AND ($10::uuid[] IS NULL OR cardinality($10::uuid[]) = (
                   SELECT count(*) FROM tenants t WHERE t.workspace_id = $2::uuid AND t.id = ANY ($10::uuid[])))
              AND (SELECT count(*) FROM api_tokens k WHERE k.user_id = u.id AND k.revoked_at IS NULL
                   AND k.idle_seconds IS NULL AND k.expires_at > clock_timestamp()) < $11::int
            RETURNING id, workspace_id, user_id, label, expires_at, capabilities, tenant_ids
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $7, workspace_id, $8::uuid,
               jsonb_build_object('token_id', id, 'user_id', user_id, 'label', label, 'expires_at', expires_at,
                                  'capabilities', capabilities, 'tenant_ids', tenant_ids)
        FROM issued
        """

    /// The most tokens of one person or system that are good at a time.
    package static let userLimit = 100

    /// Enters a token under the SHA-256 of its text, valid for `lifetimeSeconds`. `label` tells people what it
    /// is for: 1 to 200 characters. Throws ``StoreError/notFound(_:)`` when the person or a tenant of the scope is not
    /// of the workspace, or the person has ``userLimit`` tokens.
    package func issue(
        _ tokenID: UUID, hash: [UInt8], label: String, lifetimeSeconds: Int, scope: TokenScope = .full,
        for user: UserID, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws {
        precondition(hash.count == Self.hashLength, "a token is stored as its SHA-256")
        let written = try await pool.query(
            Self.insert,
            [
                .uuid(tokenID), .uuid(workspace.uuid), .uuid(user.uuid), .text(label), .bytes(hash),
                .double(Double(lifetimeSeconds)), .text(AuditAction.tokenIssued.rawValue), actor.parameter,
                scope.capabilities.map { .texts($0.map(\.rawValue).sorted()) } ?? .null,
                scope.tenants.map { .uuids($0.map(\.uuid)) } ?? .null, .int(Self.userLimit),
            ])
        if written.affected == 0 { throw StoreError.notFound("user") }
    }

    private static let end: Statement = """
        WITH ended AS (
            UPDATE api_tokens SET revoked_at = clock_timestamp()
            WHERE workspace_id = $1::uuid AND id = $2::uuid AND revoked_at IS NULL
            RETURNING id, workspace_id, user_id
        )
        INSERT INTO audit (action, workspace_id, actor_id, details)
        SELECT $3, workspace_id, $4::uuid, jsonb_build_object('token_id', id, 'user_id', user_id) FROM ended
        """

    /// Ends a token, from the next request on. Throws ``StoreError/notFound(_:)`` when there is no such token
    /// in the workspace, or it was revoked before.
    package func revoke(
        _ tokenID: UUID, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws {
        let written = try await pool.query(
            Self.end,
            [
                .uuid(workspace.uuid), .uuid(tokenID), .text(AuditAction.tokenRevoked.rawValue),
                actor.parameter,
            ])
        if written.affected == 0 { throw StoreError.notFound("token") }
    }
}

extension Principal {
    fileprivate init(_ row: Row) throws {
        let kind = try row.text("kind")
        guard let known = Kind(rawValue: kind) else { throw StoreError.unreadable("kind", kind) }
        self.init(
            tokenID: try row.uuid("token_id"), userID: UserID(try row.uuid("user_id")),
            workspaceID: WorkspaceID(try row.uuid("workspace_id")), name: try row.text("name"), kind: known,
            scope: try TokenScope(row))
    }
}

extension TokenScope {
    /// A capability that this version does not know is one that nobody can use here.
    init(_ row: Row) throws {
        let capabilities = try row.textOrNil("capabilities")
        let tenants = try row.textOrNil("tenant_ids")
        self.init(
            capabilities: capabilities.map { words in
                Set(words.split(separator: " ").compactMap { Capability(rawValue: String($0)) })
            },
            tenants: tenants.map { ids in Set(ids.split(separator: " ").compactMap { TenantID(String($0)) }) }
        )
    }
}
