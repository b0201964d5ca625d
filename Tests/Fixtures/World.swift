internal import FoundationEssentials
package import Operations
package import Postgres

/// A small service provider in a test's database: one workspace with people of every role, and tenants with one
/// connection each.
package struct World: Sendable {
    package let workspace: WorkspaceID
    package let tenants: [TenantID]
    /// One connection per tenant, at the same index.
    package let connections: [ConnectionID]
    /// The person with each role on the whole workspace.
    package let people: [Role: UserID]
    /// A person of the workspace without any grant.
    package let stranger: UserID

    package var tenant: TenantID { tenants[0] }
    package var connection: ConnectionID { connections[0] }
    package var owner: UserID { people[.owner]! }
    package var `operator`: UserID { people[.operator]! }

    /// Fills the database. Each connection points to an Entra tenant of its own, which is named by
    /// ``entraTenant(_:)``; credentials are bytes that nobody can open.
    package static func make(in pool: PostgresPool, tenants count: Int = 1, cloud: String = "sandbox")
        async throws -> World
    {
        let workspace = UUID()
        let tenants = (0..<count).map { _ in UUID() }
        let connections = (0..<count).map { _ in UUID() }
        let people = Dictionary(uniqueKeysWithValues: Role.allCases.map { ($0, UUID()) })
        let stranger = UUID()
        let users = Role.allCases.map { people[$0]! } + [stranger]
        _ = try await pool.pipeline([
            ("INSERT INTO workspaces (id, name) VALUES ($1::uuid, 'Northwind')", [.uuid(workspace)]),
            (
                "INSERT INTO users (id, workspace_id, name) SELECT id, $1::uuid, name FROM unnest($2::uuid[], $3::text[]) AS u (id, name)",
                [.uuid(workspace), .uuids(users), .texts(Role.allCases.map(\.rawValue) + ["stranger"])]
            ),
            (
                """
                INSERT INTO memberships (id, workspace_id, user_id, role)
                SELECT gen_random_uuid(), $1::uuid, id, role FROM unnest($2::uuid[], $3::text[]) AS m (id, role)
                """,
                [
                    .uuid(workspace), .uuids(Role.allCases.map { people[$0]! }),
                    .texts(Role.allCases.map(\.rawValue)),
                ]
            ),
            (
                "INSERT INTO tenants (id, workspace_id, name) SELECT id, $1::uuid, 'Tenant ' || n FROM unnest($2::uuid[]) WITH ORDINALITY AS t (id, n)",
                [.uuid(workspace), .uuids(tenants)]
            ),
            (
                """
                INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud, entra_tenant_id,
                                                  entra_tenant_name, client_id, is_default)
                SELECT c, $1::uuid, t, 'Connection', $4, 'entra-' || t, 'Tenant', 'client', true
                FROM unnest($2::uuid[], $3::uuid[]) AS x (t, c)
                """,
                [.uuid(workspace), .uuids(tenants), .uuids(connections), .text(cloud)]
            ),
            (
                """
                INSERT INTO provider_credentials (connection_id, tenant_id, version, kind, key_id, sealed)
                SELECT c, t, 1, 'secret', 'none', 'x'::bytea FROM unnest($1::uuid[], $2::uuid[]) AS x (t, c)
                """,
                [.uuids(tenants), .uuids(connections)]
            ),
        ])
        return World(
            workspace: WorkspaceID(workspace), tenants: tenants.map { TenantID($0) },
            connections: connections.map { ConnectionID($0) }, people: people.mapValues { UserID($0) },
            stranger: UserID(stranger))
    }
}
