package import FoundationEssentials
package import Operations
package import Postgres

/// A token as people see it: everything but the token.
package struct TokenSummary: Sendable, Hashable {
    package let id: UUID
    package let label: String
    package let owner: RunSummary.Named<Subject.User>
    package let kind: Principal.Kind
    package let scope: TokenScope
    package let createdAt: Date
    package let expiresAt: Date
    package let revokedAt: Date?
    /// To about ten minutes; nil when it was never used.
    package let lastUsedAt: Date?
    /// Nil for the operator's command.
    package let issuedBy: RunSummary.Named<Subject.User>?
}

/// Reads tokens for people, of those owners that the caller has decided on.
package struct TokenReading: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let list: Statement = """
        SELECT k.id, k.label, k.user_id, u.name, u.kind, k.created_at, k.expires_at, k.revoked_at, k.last_used_at,
               array_to_string(k.capabilities, ' ') AS capabilities,
               array_to_string(k.tenant_ids, ' ') AS tenant_ids, k.issued_by, i.name AS issued_by_name
        FROM api_tokens k JOIN users u ON u.id = k.user_id LEFT JOIN users i ON i.id = k.issued_by
        WHERE k.workspace_id = $1::uuid AND ($2::uuid IS NULL OR k.user_id = $2::uuid) AND k.id > $3::uuid
          AND ($4::uuid IS NULL OR k.id = $4::uuid) AND k.idle_seconds IS NULL
        ORDER BY k.id LIMIT $5::int
        """

    /// The tokens (not the sessions) of a person, or (nil) of everybody in the workspace, in the order of their ids; also those that have
    /// ended.
    package func tokens(
        of user: UserID?, in workspace: WorkspaceID, after: UUID?, limit: Int
    ) async throws -> Page<TokenSummary> {
        let rows = try await pool.query(
            Self.list,
            [
                .uuid(workspace.uuid), user.map { .uuid($0.uuid) } ?? .null,
                .uuid(after ?? TenantReading.first), .null, .int(Page<TokenSummary>.rows(for: limit)),
            ]
        ).map(TokenSummary.init)
        return Page(rows: rows, limit: limit)
    }

    /// One token; nil when the workspace has no such one.
    package func token(_ id: UUID, in workspace: WorkspaceID) async throws -> TokenSummary? {
        try await pool.query(
            Self.list,
            [.uuid(workspace.uuid), .null, .uuid(TenantReading.first), .uuid(id), .int(1)]
        ).first.map(TokenSummary.init)
    }

    private static let user: Statement = """
        SELECT kind, (SELECT count(*) FROM api_tokens k WHERE k.user_id = u.id AND k.revoked_at IS NULL
                      AND k.idle_seconds IS NULL AND k.expires_at > clock_timestamp()) AS tokens
        FROM users u WHERE u.workspace_id = $1::uuid AND u.id = $2::uuid
        """

    /// What an owner to be is, and how many tokens of it are good now; nil when the workspace has nobody with that id.
    package func owner(
        _ user: UserID, in workspace: WorkspaceID
    ) async throws -> (kind: Principal.Kind, tokens: Int)? {
        try await pool.query(Self.user, [.uuid(workspace.uuid), .uuid(user.uuid)]).first.map { row in
            let kind = try row.text("kind")
            guard let known = Principal.Kind(rawValue: kind) else {
                throw StoreError.unreadable("kind", kind)
            }
            return (known, try row.int("tokens"))
        }
    }
}

extension TokenSummary {
    fileprivate init(_ row: Row) throws {
        let kind = try row.text("kind")
        guard let known = Principal.Kind(rawValue: kind) else { throw StoreError.unreadable("kind", kind) }
        self.init(
            id: try row.uuid("id"), label: try row.text("label"),
            owner: RunSummary.Named(id: UserID(try row.uuid("user_id")), name: try row.text("name")),
            kind: known, scope: try TokenScope(row), createdAt: try row.date("created_at"),
            expiresAt: try row.date("expires_at"), revokedAt: try row.dateOrNil("revoked_at"),
            lastUsedAt: try row.dateOrNil("last_used_at"),
            issuedBy: try row.uuidOrNil("issued_by").map { id in
                RunSummary.Named(id: UserID(id), name: try row.textOrNil("issued_by_name") ?? "")
            })
    }
}
