package import FoundationEssentials
package import Operations
package import Postgres

/// Looks up what ids of a workspace are called.
package struct NameReading: Sendable {
    package enum Kind: String, Sendable {
        case user, tenant, connection
    }

    package struct Named: Sendable, Hashable {
        package let kind: Kind
        package let name: String

        package init(kind: Kind, name: String) {
            self.kind = kind
            self.name = name
        }
    }

    /// A connection with its tenant.
    package struct Connection: Sendable, Hashable {
        package let id: ConnectionID
        package let name: String
        package let tenant: String
    }

    /// The most connections that are named at once.
    package static let connectionLimit = 2_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let connections: Statement = """
        SELECT c.id, c.display_name, t.name FROM provider_connections c JOIN tenants t ON t.id = c.tenant_id
        WHERE c.tenant_id = ANY ($1::uuid[])
        ORDER BY lower(t.name), t.id, c.is_default DESC, lower(c.display_name), c.id LIMIT $2::int
        """

    /// The connections of the tenants, by the names of their tenants, the default ones first; at most
    /// ``connectionLimit``.
    package func connections(of tenants: [TenantID]) async throws -> [Connection] {
        try await pool.query(
            Self.connections, [.uuids(tenants.map(\.uuid)), .int(Self.connectionLimit)]
        ).map { row in
            Connection(
                id: ConnectionID(try row.uuid("id")), name: try row.text("display_name"),
                tenant: try row.text("name"))
        }
    }

    private static let names: Statement = """
        SELECT 'user' AS kind, id, name FROM users WHERE workspace_id = $1::uuid AND id = ANY ($2::uuid[])
        UNION ALL
        SELECT 'tenant', id, name FROM tenants
        WHERE workspace_id = $1::uuid AND id = ANY ($2::uuid[]) AND id = ANY ($3::uuid[])
        UNION ALL
        SELECT 'connection', id, display_name FROM provider_connections
        WHERE workspace_id = $1::uuid AND id = ANY ($2::uuid[]) AND tenant_id = ANY ($3::uuid[])
        """

    /// The names of those ids that are people and systems of the workspace, tenants among `tenants`, or connections of
    /// those.
    package func names(
        of ids: some Sequence<UUID>, in workspace: WorkspaceID, on tenants: [TenantID]
    ) async throws -> [UUID: Named] {
        let ids = Array(Set(ids))
        guard !ids.isEmpty else { return [:] }
        let rows = try await pool.query(
            Self.names, [.uuid(workspace.uuid), .uuids(ids), .uuids(tenants.map(\.uuid))])
        var names: [UUID: Named] = [:]
        for row in rows {
            guard let kind = Kind(rawValue: try row.text("kind")) else { continue }
            names[try row.uuid("id")] = Named(kind: kind, name: try row.text("name"))
        }
        return names
    }
}
