internal import FoundationEssentials
internal import JSON
package import Operations
package import Postgres

/// A person or system of a workspace, and what it holds there.
package struct UserSummary: Sendable, Hashable {
    package let id: UserID
    package let name: String
    package let kind: Principal.Kind
    package let isDisabled: Bool
    /// The one on the whole workspace first; at most ``AccessReading/grantLimit``.
    package let grants: [AccessReading.Grant]
}

/// Reads the people of a workspace, for those who manage access.
package struct UserReading: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let list: Statement = """
        SELECT u.id, u.name, u.kind, u.disabled_at IS NOT NULL AS is_disabled, g.grants
        FROM users u CROSS JOIN LATERAL (
            SELECT coalesce(jsonb_agg(jsonb_build_array(m.id, m.tenant_id, m.role)), '[]') AS grants
            FROM (
                SELECT id, tenant_id, role FROM memberships
                WHERE user_id = u.id AND workspace_id = u.workspace_id AND revoked_at IS NULL
                  AND (tenant_id IS NULL OR tenant_id = ANY ($2::uuid[]))
                ORDER BY tenant_id NULLS FIRST LIMIT $5::int
            ) m
        ) g
        WHERE u.workspace_id = $1::uuid AND u.id > $3::uuid
          AND ($6::uuid IS NULL OR u.id = $6::uuid)
          AND ($7::text IS NULL OR strpos(lower(u.name), lower($7)) > 0)
          AND ($8::uuid IS NULL OR EXISTS (SELECT FROM entitlement(u.id, u.workspace_id, $8::uuid)))
        ORDER BY u.id LIMIT $4::int
        """

    /// The people of the workspace in the order of their ids, those after `after` first, each with the grants
    /// on the whole workspace and on `tenants`.
    ///
    /// - Parameters:
    ///   - name: only those whose names contain it, in any case.
    ///   - tenant: only those who hold something there.
    package func users(
        of workspace: WorkspaceID, grantsOn tenants: [TenantID], named name: String? = nil,
        entitledOn tenant: TenantID? = nil, after: UserID?, limit: Int
    ) async throws -> Page<UserSummary> {
        let rows = try await pool.query(
            Self.list,
            [
                .uuid(workspace.uuid), .uuids(tenants.map(\.uuid)), .uuid(after?.uuid ?? Self.first),
                .int(Page<UserSummary>.rows(for: limit)), .int(AccessReading.grantLimit), .null,
                name.map { .text($0) } ?? .null, tenant.map { .uuid($0.uuid) } ?? .null,
            ]
        ).map(UserSummary.init)
        return Page(rows: rows, limit: limit)
    }

    /// One person or system of the workspace with the grants on it and on `tenants`; nil when there is no such one.
    package func user(
        _ id: UserID, of workspace: WorkspaceID, grantsOn tenants: [TenantID]
    ) async throws -> UserSummary? {
        try await pool.query(
            Self.list,
            [
                .uuid(workspace.uuid), .uuids(tenants.map(\.uuid)), .uuid(Self.first), .int(1),
                .int(AccessReading.grantLimit), .uuid(id.uuid), .null, .null,
            ]
        ).first.map(UserSummary.init)
    }

    /// Below every id.
    private static let first = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}

extension UserSummary {
    fileprivate init(_ row: Row) throws {
        let kind = try row.text("kind")
        guard let known = Principal.Kind(rawValue: kind) else { throw StoreError.unreadable("kind", kind) }
        let grants = try JSON(parsing: row.bytes("grants")).array ?? []
        self.init(
            id: UserID(try row.uuid("id")), name: try row.text("name"), kind: known,
            isDisabled: try row.bool("is_disabled"), grants: try grants.map(AccessReading.Grant.init(stored:))
        )
    }
}

extension AccessReading.Grant {
    /// Reads an id, a tenant's id or null, and a role.
    fileprivate init(stored: JSON) throws {
        guard let id = stored[0]?.string.flatMap({ GrantID($0) }),
            let role = stored[2]?.string.flatMap(Role.init)
        else { throw StoreError.unreadable("grants", stored.text) }
        self.init(id: id, tenantID: stored[1]?.string.flatMap { TenantID($0) }, role: role)
    }
}
