internal import FoundationEssentials
internal import JSON
internal import Operations
internal import Postgres

/// A change of authority as its lock, its statement, its audit, and the permits that it waits for.
///
/// Each statement raises the epoch of the tenants it concerns, so that decisions tell before and after apart.
struct AuthorityPlan {
    /// Whose lock is taken: a tenant's, a workspace's, or (nil) the one of everything.
    var lockScope: UUID?
    /// Returns one row with the id of what the permits refer to as `affected`; none when there is nothing.
    var statement: Statement
    var parameters: [Parameter]
    /// Which open permits the change waits for.
    var concerns: Barrier.Permits
    var subject: String
    var tenant: TenantID?
    var action: AuditAction
    var details: JSON

    init(_ change: AuthorityChange, _ workspace: WorkspaceID, by actor: AuditRecord.Actor) {
        switch change {
        case .revokeMembership(let user, let tenant):
            self.init(
                lock: tenant?.uuid ?? workspace.uuid, statement: AuthorityPlan.revoke,
                parameters: AuthorityPlan.member(workspace, user, tenant) + [actor.parameter],
                concerns: .ofGrant,
                subject: "membership", tenant: tenant, action: .accessRevoked,
                details: ["user_id": .string("\(user)")])
        case .changeRole(let user, let tenant, let role):
            self.init(
                lock: tenant?.uuid ?? workspace.uuid, statement: AuthorityPlan.role,
                parameters: AuthorityPlan.member(workspace, user, tenant) + [.text(role.rawValue)],
                concerns: .ofGrant, subject: "membership", tenant: tenant, action: .accessRoleChanged,
                details: ["user_id": .string("\(user)"), "role": .string(role.rawValue)])
        case .disableUser(let user):
            self.init(
                lock: workspace.uuid, statement: AuthorityPlan.disableUser,
                parameters: [.uuid(workspace.uuid), .uuid(user.uuid)], concerns: .ofUser, subject: "user",
                action: .userDisabled, details: ["user_id": .string("\(user)")])
        case .setOperability(let tenant, let operability):
            self.init(
                lock: tenant.uuid, statement: AuthorityPlan.operability,
                parameters: [.uuid(workspace.uuid), .uuid(tenant.uuid), .text(operability.rawValue)],
                concerns: .ofTenant, subject: "tenant", tenant: tenant, action: .tenantOperabilityChanged,
                details: ["operability": .string(operability.rawValue)])
        case .setWriteGate(let tenant, let isOpen):
            self.init(
                lock: tenant.uuid, statement: AuthorityPlan.writeGate,
                parameters: [.uuid(workspace.uuid), .uuid(tenant.uuid), .bool(isOpen)],
                concerns: .ofTenant, subject: "tenant", tenant: tenant, action: .writeGateChanged,
                details: ["open": .bool(isOpen)])
        case .setConnectionEnabled(let connection, let isEnabled):
            self.init(
                lock: workspace.uuid, statement: AuthorityPlan.connectionEnabled,
                parameters: [.uuid(workspace.uuid), .uuid(connection.uuid), .bool(isEnabled)],
                concerns: .ofConnection, subject: "provider connection",
                action: isEnabled ? .connectionEnabled : .connectionDisabled,
                details: ["provider_connection_id": .string("\(connection)")])
        case .freeze(let scope):
            self = AuthorityPlan.freeze(scope, workspace, frozen: true)
        }
    }

    private init(
        lock: UUID?, statement: Statement, parameters: [Parameter], concerns: Barrier.Permits,
        subject: String,
        tenant: TenantID? = nil, action: AuditAction, details: JSON
    ) {
        lockScope = lock
        self.statement = statement
        self.parameters = parameters
        self.concerns = concerns
        self.subject = subject
        self.tenant = tenant
        self.action = action
        self.details = details
    }

    static func freeze(_ scope: FreezeScope, _ workspace: WorkspaceID, frozen: Bool) -> AuthorityPlan {
        let action: AuditAction = frozen ? .frozen : .unfrozen
        let flag = Parameter.bool(frozen)
        return switch scope {
        case .everything:
            AuthorityPlan(
                lock: nil, statement: freezeEverything, parameters: [flag], concerns: .all,
                subject: "platform", action: action, details: ["scope": "everything"])
        case .workspace:
            AuthorityPlan(
                lock: workspace.uuid, statement: freezeWorkspace,
                parameters: [.uuid(workspace.uuid), flag],
                concerns: .ofWorkspace, subject: "workspace", action: action, details: ["scope": "workspace"]
            )
        case .tenant(let id):
            AuthorityPlan(
                lock: id.uuid, statement: freezeTenant,
                parameters: [.uuid(workspace.uuid), .uuid(id.uuid), flag], concerns: .ofTenant,
                subject: "tenant", tenant: id, action: action, details: ["scope": "tenant"])
        case .connection(let id):
            AuthorityPlan(
                lock: workspace.uuid, statement: freezeConnection,
                parameters: [.uuid(workspace.uuid), .uuid(id.uuid), flag], concerns: .ofConnection,
                subject: "provider connection", action: action,
                details: ["scope": "connection", "provider_connection_id": .string("\(id)")])
        }
    }

    private static func member(
        _ workspace: WorkspaceID, _ user: UserID, _ tenant: TenantID?
    ) -> [Parameter] {
        [.uuid(workspace.uuid), .uuid(user.uuid), tenant.map { .uuid($0.uuid) } ?? .null]
    }

    // MARK: statements

    private static let revoke: Statement = """
        WITH gone AS (
            UPDATE memberships SET revoked_at = clock_timestamp(), revoked_by = $4::uuid
            WHERE workspace_id = $1::uuid AND user_id = $2::uuid
              AND tenant_id IS NOT DISTINCT FROM $3::uuid AND revoked_at IS NULL
            RETURNING id
        ), raised AS (
            UPDATE tenants SET authority_epoch = authority_epoch + 1
            WHERE workspace_id = $1::uuid AND ($3::uuid IS NULL OR id = $3::uuid)
              AND EXISTS (SELECT FROM gone)
        )
        SELECT id AS affected FROM gone
        """

    private static let role: Statement = """
        WITH lowered AS (
            UPDATE memberships SET role = $4
            WHERE workspace_id = $1::uuid AND user_id = $2::uuid
              AND tenant_id IS NOT DISTINCT FROM $3::uuid AND revoked_at IS NULL
            RETURNING id
        ), raised AS (
            UPDATE tenants SET authority_epoch = authority_epoch + 1
            WHERE workspace_id = $1::uuid AND ($3::uuid IS NULL OR id = $3::uuid)
              AND EXISTS (SELECT FROM lowered)
        )
        SELECT id AS affected FROM lowered
        """

    private static let disableUser: Statement = """
        WITH gone AS (
            UPDATE users SET disabled_at = coalesce(disabled_at, clock_timestamp())
            WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id
        ), raised AS (
            UPDATE tenants SET authority_epoch = authority_epoch + 1
            WHERE workspace_id = $1::uuid AND EXISTS (SELECT FROM gone)
        )
        SELECT id AS affected FROM gone
        """

    private static let operability: Statement = """
        UPDATE tenants SET operability = $3, authority_epoch = authority_epoch + 1
        WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id AS affected
        """

    private static let writeGate: Statement = """
        UPDATE tenants SET write_gate_open = $3::bool, authority_epoch = authority_epoch + 1
        WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id AS affected
        """

    private static let connectionEnabled: Statement = """
        WITH changed AS (
            UPDATE provider_connections SET enabled = $3::bool, revision = revision + 1
            WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id, tenant_id
        ), raised AS (
            UPDATE tenants t SET authority_epoch = authority_epoch + 1
            FROM changed c WHERE t.id = c.tenant_id
        )
        SELECT id AS affected FROM changed
        """

    private static let freezeEverything: Statement = """
        WITH raised AS (UPDATE tenants SET authority_epoch = authority_epoch + 1)
        UPDATE platform SET frozen = $1::bool, freeze_generation = freeze_generation + 1
        RETURNING NULL::uuid AS affected
        """

    private static let freezeWorkspace: Statement = """
        WITH raised AS (
            UPDATE tenants SET authority_epoch = authority_epoch + 1 WHERE workspace_id = $1::uuid
        )
        UPDATE workspaces SET frozen = $2::bool, freeze_generation = freeze_generation + 1
        WHERE id = $1::uuid RETURNING id AS affected
        """

    private static let freezeTenant: Statement = """
        UPDATE tenants SET frozen = $3::bool, freeze_generation = freeze_generation + 1,
                           authority_epoch = authority_epoch + 1
        WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id AS affected
        """

    private static let freezeConnection: Statement = """
        WITH changed AS (
            UPDATE provider_connections SET frozen = $3::bool, freeze_generation = freeze_generation + 1
            WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id, tenant_id
        ), raised AS (
            UPDATE tenants t SET authority_epoch = authority_epoch + 1
            FROM changed c WHERE t.id = c.tenant_id
        )
        SELECT id AS affected FROM changed
        """
}
