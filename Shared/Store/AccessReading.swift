internal import FoundationEssentials
package import Operations
package import Postgres

/// Reads what a person holds where. What follows from it is decided by whoever asks.
package struct AccessReading: Sendable {
    /// Something that a person asks to see or to change.
    package enum Place: Sendable, Hashable {
        case workspace(WorkspaceID)
        case tenant(TenantID)
        case connection(ConnectionID)
        case run(RunID)
        case schedule(ScheduleID)
        case backup(RunID)
        case webhook(WebhookID)
        /// A notification on its way: it belongs to its run's tenant.
        case delivery(DeliveryID)
        /// A message that nobody could process: it belongs to the tenant of the run that it names. One that names none is
        /// not there.
        case deadLetter(DeadLetterID)
    }

    /// A place that exists, and what the person holds there.
    package struct Standing: Sendable, Hashable {
        package let workspaceID: WorkspaceID
        /// Nil for a whole workspace.
        package let tenantID: TenantID?
        /// Nil when the person holds nothing there.
        package let role: Role?
        /// The stored name of a run's, schedule's or dead letter's operation; nil for every other place.
        package let operation: String?
    }

    /// One grant that holds now.
    package struct Grant: Sendable, Hashable {
        package let id: GrantID
        /// Nil for every tenant of the workspace.
        package let tenantID: TenantID?
        package let role: Role
    }

    /// The most grants that are read of one person.
    package static let grantLimit = 2_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Each place belongs to a workspace and, but for the workspace itself and its webhooks, to one tenant in it. Of the
    /// branches one is executed. On a whole workspace, only a grant on the whole workspace counts.
    private static let standing: Statement = """
        WITH place AS (
            SELECT id AS workspace_id, NULL::uuid AS tenant_id, NULL AS operation
            FROM workspaces WHERE $2::text = 'workspace' AND id = $3::uuid
            UNION ALL
            SELECT workspace_id, id, NULL FROM tenants WHERE $2::text = 'tenant' AND id = $3::uuid
            UNION ALL
            SELECT workspace_id, tenant_id, NULL
            FROM provider_connections WHERE $2::text = 'connection' AND id = $3::uuid
            UNION ALL
            SELECT workspace_id, tenant_id, operation FROM runs WHERE $2::text = 'run' AND id = $3::uuid
            UNION ALL
            SELECT workspace_id, tenant_id, operation
            FROM schedules WHERE $2::text = 'schedule' AND id = $3::uuid
            UNION ALL
            SELECT t.workspace_id, b.tenant_id, NULL FROM backup_sets b JOIN tenants t ON t.id = b.tenant_id
            WHERE $2::text = 'backup' AND b.id = $3::uuid
            UNION ALL
            SELECT workspace_id, NULL, NULL
            FROM webhooks WHERE $2::text = 'webhook' AND id = $3::uuid AND removed_at IS NULL
            UNION ALL
            SELECT workspace_id, tenant_id, NULL
            FROM notifications WHERE $2::text = 'delivery' AND id = $3::uuid AND channel <> 'inbox'
            UNION ALL
            SELECT workspace_id, tenant_id, operation
            FROM dead_letter_summaries WHERE $2::text = 'dead_letter' AND id = $3::uuid
        )
        SELECT p.workspace_id, p.tenant_id, p.operation, e.role
        FROM place p LEFT JOIN LATERAL entitlement($1::uuid, p.workspace_id, p.tenant_id) e ON true
        """

    /// What the person holds at a place; nil when there is no such place.
    package func standing(of user: UserID, at place: Place) async throws -> Standing? {
        let (kind, id) = place.key
        let rows = try await pool.query(Self.standing, [.uuid(user.uuid), .text(kind), .uuid(id)])
        return try rows.first.map { row in
            Standing(
                workspaceID: WorkspaceID(try row.uuid("workspace_id")),
                tenantID: try row.uuidOrNil("tenant_id").map(TenantID.init),
                role: try row.textOrNil("role").map(Self.role),
                operation: try row.textOrNil("operation"))
        }
    }

    private static let tenants: Statement = """
        SELECT t.id FROM tenants t CROSS JOIN LATERAL entitlement($1::uuid, t.workspace_id, t.id) e
        WHERE t.workspace_id = $2::uuid AND e.role = ANY ($3::text[])
        """

    /// The tenants on which the person holds the capability.
    package func tenants(
        of user: UserID, in workspace: WorkspaceID, holding capability: Capability
    ) async throws -> [TenantID] {
        let roles = Role.allCases.filter { $0.holds(capability) }.map(\.rawValue)
        return try await pool.query(
            Self.tenants, [.uuid(user.uuid), .uuid(workspace.uuid), .texts(roles)]
        ).map { TenantID(try $0.uuid("id")) }
    }

    private static let grants: Statement = """
        SELECT id, tenant_id, role FROM memberships
        WHERE user_id = $1::uuid AND workspace_id = $2::uuid AND revoked_at IS NULL
        ORDER BY tenant_id NULLS FIRST LIMIT $3::int
        """

    /// The person's own grants, the one on the whole workspace first; at most ``grantLimit``.
    package func grants(of user: UserID, in workspace: WorkspaceID) async throws -> [Grant] {
        try await pool.query(
            Self.grants, [.uuid(user.uuid), .uuid(workspace.uuid), .int(Self.grantLimit)]
        ).map { row in
            Grant(
                id: GrantID(try row.uuid("id")), tenantID: try row.uuidOrNil("tenant_id").map(TenantID.init),
                role: try Self.role(row.text("role")))
        }
    }

    private static func role(_ word: String) throws -> Role {
        guard let role = Role(rawValue: word) else { throw StoreError.unreadable("role", word) }
        return role
    }
}

extension AccessReading.Place {
    /// The word that the statement knows it by, and its id.
    fileprivate var key: (kind: String, id: UUID) {
        switch self {
        case .workspace(let id): ("workspace", id.uuid)
        case .tenant(let id): ("tenant", id.uuid)
        case .connection(let id): ("connection", id.uuid)
        case .run(let id): ("run", id.uuid)
        case .schedule(let id): ("schedule", id.uuid)
        case .backup(let id): ("backup", id.uuid)
        case .webhook(let id): ("webhook", id.uuid)
        case .delivery(let id): ("delivery", id.uuid)
        case .deadLetter(let id): ("dead_letter", id.uuid)
        }
    }
}
