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

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

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
