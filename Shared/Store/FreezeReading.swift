internal import FoundationEssentials
package import Operations
package import Postgres

/// How a tenant stands: what people have set, and what is frozen, told apart. A ``TenantSummary`` tells the two as one.
package struct TenantState: Sendable, Hashable {
    /// As people have set it, whatever is frozen.
    package let operability: AuthorityFacts.Operability
    package let isFrozen: Bool
    /// Something above it is frozen: the workspace, or everything.
    package let isFrozenAbove: Bool
    package let frozenConnections: Set<ConnectionID>
}

/// Reads what is frozen. Who may see it is for the caller to decide.
package struct FreezeReading: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let tenant: Statement = """
        SELECT t.operability, t.frozen AS is_frozen, w.frozen OR p.frozen AS frozen_above,
               ARRAY(SELECT id FROM provider_connections c WHERE c.tenant_id = t.id AND c.frozen) AS frozen
        FROM tenants t JOIN workspaces w ON w.id = t.workspace_id CROSS JOIN platform p
        WHERE t.id = $1::uuid
        """

    /// How a tenant stands; nil when there is no such one.
    package func tenant(_ id: TenantID) async throws -> TenantState? {
        try await pool.query(Self.tenant, [.uuid(id.uuid)]).first.map { row in
            let operability = try row.text("operability")
            guard let known = AuthorityFacts.Operability(rawValue: operability) else {
                throw StoreError.unreadable("operability", operability)
            }
            return TenantState(
                operability: known, isFrozen: try row.bool("is_frozen"),
                isFrozenAbove: try row.bool("frozen_above"),
                frozenConnections: Set(try row.uuids("frozen").map(ConnectionID.init)))
        }
    }

    private static let workspace: Statement = """
        SELECT w.frozen, p.frozen AS frozen_above FROM workspaces w CROSS JOIN platform p WHERE w.id = $1::uuid
        """

    /// Whether a workspace is frozen, and whether everything is; nil when there is no such workspace.
    package func workspace(_ id: WorkspaceID) async throws -> (isFrozen: Bool, isFrozenAbove: Bool)? {
        try await pool.query(Self.workspace, [.uuid(id.uuid)]).first.map { row in
            (try row.bool("frozen"), try row.bool("frozen_above"))
        }
    }
}
