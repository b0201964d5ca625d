package import FoundationEssentials
package import Operations
package import Postgres

/// Sets up what people work with: workspaces, tenants, people, grants, connections.
///
/// Each call takes a set of things with ids that the caller chose, makes those that do not exist, leaves the
/// others as they are, and audits what it made, in one statement. Repeating a call does no harm.
///
/// Tokens are issued by ``Principals``, credentials are set by ``CredentialChanges``, webhooks by ``Webhooks``; a person's
/// single connections are made by ``ConnectionChanges``.
package struct Administration: Sendable {
    /// A customer's tenant, there or to be.
    package struct NewTenant: Sendable, Hashable {
        package let id: TenantID
        /// 1 to 200 characters.
        package let name: String

        package init(id: TenantID, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// A person or a system to be.
    package struct NewUser: Sendable, Hashable {
        package let id: UserID
        /// 1 to 200 characters.
        package let name: String
        package let kind: Principal.Kind

        package init(id: UserID, name: String, kind: Principal.Kind) {
            self.id = id
            self.name = name
            self.kind = kind
        }
    }

    /// A role that a person is to hold.
    package struct NewMembership: Sendable, Hashable {
        package let user: UserID
        /// Nil for every tenant of the workspace.
        package let tenant: TenantID?
        package let role: Role

        package init(user: UserID, tenant: TenantID?, role: Role) {
            self.user = user
            self.tenant = tenant
            self.role = role
        }
    }

    /// A service provider's workspace.
    package struct FoundWorkspace: Sendable, Hashable {
        package let id: WorkspaceID
        package let name: String
    }

    /// A person or a system, found by name or id.
    package struct FoundUser: Sendable, Hashable {
        package let id: UserID
        package let workspaceID: WorkspaceID
        package let name: String
    }

    private let pool: PostgresPool
    private let makeID: @Sendable () -> UUID

    /// `makeID` makes ids in the order of time.
    package init(pool: PostgresPool, makeID: @escaping @Sendable () -> UUID) {
        self.pool = pool
        self.makeID = makeID
    }

    // MARK: making

    private static let workspace: Statement = """
        WITH made AS (
            INSERT INTO workspaces (id, name) VALUES ($1::uuid, $2) ON CONFLICT (id) DO NOTHING
            RETURNING id, name
        ), audited AS (
            INSERT INTO audit (action, workspace_id, actor_id, details)
            SELECT 'workspace.created', id, $3::uuid, jsonb_build_object('name', name) FROM made
        )
        SELECT id FROM made
        """

    /// Makes a workspace; false when there is one with that id. `name` has 1 to 200 characters.
    package func createWorkspace(
        _ id: WorkspaceID, name: String, by actor: AuditRecord.Actor
    ) async throws -> Bool {
        let made = try await pool.query(Self.workspace, [.uuid(id.uuid), .text(name), actor.parameter])
        return !made.isEmpty
    }

    private static let tenants: Statement = """
        WITH made AS (
            INSERT INTO tenants (id, workspace_id, name)
            SELECT id, $1::uuid, name FROM unnest($3::uuid[], $4::text[]) AS n (id, name)
            ON CONFLICT (id) DO NOTHING
            RETURNING id, workspace_id, name
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT 'tenant.created', workspace_id, id, $2::uuid, jsonb_build_object('name', name) FROM made
        )
        SELECT id FROM made
        """

    /// Makes tenants, operable and with a closed write gate; returns the new ones.
    package func createTenants(
        _ tenants: [NewTenant], in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> Set<TenantID> {
        let made = try await pool.query(
            Self.tenants,
            [
                .uuid(workspace.uuid), actor.parameter, .uuids(tenants.map(\.id.uuid)),
                .texts(tenants.map(\.name)),
            ])
        return Set(try made.map { TenantID(try $0.uuid("id")) })
    }

    private static let users: Statement = """
        WITH made AS (
            INSERT INTO users (id, workspace_id, name, kind)
            SELECT id, $1::uuid, name, kind
            FROM unnest($3::uuid[], $4::text[], $5::text[]) AS n (id, name, kind)
            ON CONFLICT (id) DO NOTHING
            RETURNING id, workspace_id, name, kind
        ), audited AS (
            INSERT INTO audit (action, workspace_id, actor_id, details)
            SELECT 'user.created', workspace_id, $2::uuid,
                   jsonb_build_object('user_id', id, 'name', name, 'kind', kind)
            FROM made
        )
        SELECT id FROM made
        """

    /// Makes people and systems, who hold nothing yet; returns the new ones.
    package func createUsers(
        _ users: [NewUser], in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> Set<UserID> {
        let made = try await pool.query(
            Self.users,
            [
                .uuid(workspace.uuid), actor.parameter, .uuids(users.map(\.id.uuid)),
                .texts(users.map(\.name)), .texts(users.map(\.kind.rawValue)),
            ])
        return Set(try made.map { UserID(try $0.uuid("id")) })
    }

    private static let memberships: Statement = """
        WITH made AS (
            INSERT INTO memberships (id, workspace_id, user_id, tenant_id, role, granted_by)
            SELECT id, $1::uuid, user_id, tenant_id, role, $2::uuid
            FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[]) AS n (id, user_id, tenant_id, role)
            WHERE tenant_id IS NULL OR NOT EXISTS (
                SELECT FROM memberships m WHERE m.user_id = n.user_id AND m.workspace_id = $1::uuid
                  AND m.tenant_id IS NULL AND m.revoked_at IS NULL)
            ON CONFLICT (user_id, workspace_id, tenant_id) WHERE revoked_at IS NULL DO NOTHING
            RETURNING id, workspace_id, tenant_id, user_id, role
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $7, workspace_id, tenant_id, $2::uuid,
                   jsonb_build_object('user_id', user_id, 'role', role)
            FROM made
        )
        SELECT id FROM made
        """

    /// Gives roles to people who have none there. Where a person holds a grant already, on the tenant or on the whole
    /// workspace, it stays, whatever its role: this takes nothing from anybody and waits for nothing. One that was
    /// revoked does not come back: the new one is another grant. Returns how many were given.
    package func createMemberships(
        _ memberships: [NewMembership], in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> Int {
        try await pool.query(
            Self.memberships,
            [
                .uuid(workspace.uuid), actor.parameter, .uuids(memberships.map { _ in makeID() }),
                .uuids(memberships.map(\.user.uuid)), .uuids(memberships.map(\.tenant?.uuid)),
                .texts(memberships.map(\.role.rawValue)), .text(AuditAction.accessGranted.rawValue),
            ]
        ).count
    }

    private static let connections: Statement = """
        WITH made AS (
            INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud,
                                              entra_tenant_id, entra_tenant_name, client_id, is_default)
            SELECT id, $1::uuid, tenant_id, display_name, cloud, entra_id, entra_name, client_id, is_default
            FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                        $10::boolean[])
                 AS n (id, tenant_id, display_name, cloud, entra_id, entra_name, client_id, is_default)
            ON CONFLICT (id) DO NOTHING
            RETURNING id, workspace_id, tenant_id, entra_tenant_id
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $11, workspace_id, tenant_id, $2::uuid,
                   jsonb_build_object('provider_connection_id', id, 'entra_tenant_id', entra_tenant_id)
            FROM made
        )
        SELECT id FROM made
        """

    /// Makes provider connections, enabled and without credential; returns the new ones. None takes the place of a
    /// tenant's default, and none becomes it by being the first. Throws the database's
    /// unique violation for a second default of a tenant, or the same application twice in one.
    package func createConnections(
        _ connections: [(id: ConnectionID, new: ConnectionChanges.New)], in workspace: WorkspaceID,
        by actor: AuditRecord.Actor
    ) async throws -> Set<ConnectionID> {
        let made = try await pool.query(
            Self.connections,
            [
                .uuid(workspace.uuid), actor.parameter, .uuids(connections.map(\.id.uuid)),
                .uuids(connections.map(\.new.tenant.uuid)), .texts(connections.map(\.new.displayName)),
                .texts(connections.map(\.new.cloud)), .texts(connections.map(\.new.entraTenantID)),
                .texts(connections.map(\.new.entraTenantName)), .texts(connections.map(\.new.clientID)),
                .bools(connections.map(\.new.isDefault)), .text(AuditAction.connectionCreated.rawValue),
            ])
        return Set(try made.map { ConnectionID(try $0.uuid("id")) })
    }

    // MARK: finding

    /// The most workspaces that are looked at.
    private static let workspaceLimit = 1_000

    private static let workspaces: Statement = "SELECT id, name FROM workspaces ORDER BY id LIMIT $1::int"

    /// The workspaces, at most 1,000.
    package func workspaces() async throws -> [FoundWorkspace] {
        try await pool.query(Self.workspaces, [.int(Self.workspaceLimit)]).map { row in
            FoundWorkspace(id: WorkspaceID(try row.uuid("id")), name: try row.text("name"))
        }
    }

    private static let tenantsNamed: Statement = """
        SELECT n.name AS wanted, t.id, t.name FROM unnest($2::text[]) AS n (name)
        JOIN tenants t ON t.workspace_id = $1::uuid AND lower(t.name) = lower(n.name)
        ORDER BY t.id DESC
        """

    /// The tenants of a workspace that have those names in any letter case, by the name that was asked for; the oldest
    /// where several have it.
    package func tenants(
        named names: [String], in workspace: WorkspaceID
    ) async throws -> [String: NewTenant] {
        var found: [String: NewTenant] = [:]
        for row in try await pool.query(Self.tenantsNamed, [.uuid(workspace.uuid), .texts(names)]) {
            found[try row.text("wanted")] = NewTenant(
                id: TenantID(try row.uuid("id")), name: try row.text("name"))
        }
        return found
    }

    /// The most people that one name is looked up for.
    private static let findLimit = 20

    private static let find: Statement = """
        SELECT id, workspace_id, name FROM users
        WHERE id = $1::uuid OR ($1::uuid IS NULL AND lower(name) = lower($2))
        ORDER BY id LIMIT $3::int
        """

    /// The people with that id or, when it is no id, with that name in any letter case; at most 20, of all
    /// workspaces.
    package func findUsers(_ nameOrID: String) async throws -> [FoundUser] {
        let id = UserID(nameOrID)
        return try await pool.query(
            Self.find, [id.map { .uuid($0.uuid) } ?? .null, .text(nameOrID), .int(Self.findLimit)]
        ).map { row in
            FoundUser(
                id: UserID(try row.uuid("id")), workspaceID: WorkspaceID(try row.uuid("workspace_id")),
                name: try row.text("name"))
        }
    }
}
