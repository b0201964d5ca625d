package import FoundationEssentials
package import Operations
package import Postgres
internal import JSON

/// A change of who may do what, where.
package enum AuthorityChange: Sendable, Hashable {
    /// Takes the person's grant on the tenant away, or the one on the whole workspace when there is no tenant.
    case revokeMembership(user: UserID, tenant: TenantID?)
    case changeRole(user: UserID, tenant: TenantID?, role: Role)
    case disableUser(UserID)
    case setOperability(TenantID, AuthorityFacts.Operability)
    case setWriteGate(TenantID, isOpen: Bool)
    case setConnectionEnabled(ConnectionID, Bool)
    case freeze(FreezeScope)
}

extension AuthorityChange {
    /// The tenant whose waiting runs may go on now.
    fileprivate var givesBack: TenantID? {
        switch self {
        case .setOperability(let tenant, .operable), .setWriteGate(let tenant, isOpen: true): tenant
        case .revokeMembership, .changeRole, .disableUser, .setOperability, .setWriteGate,
            .setConnectionEnabled, .freeze:
            nil
        }
    }
}

/// What a freeze stops.
package enum FreezeScope: Sendable, Hashable {
    case everything
    case workspace(WorkspaceID)
    case tenant(TenantID)
    case connection(ConnectionID)
}

/// When a change that takes authority away took hold.
package struct BarrierAnswer: Sendable, Hashable {
    /// A call that nobody can tell the end of: its holder did not close it before its deadline.
    package struct InDoubtCall: Sendable, Hashable {
        package let id: CallID
        package let runID: RunID
        package let call: String
        package let openedAt: Date
        package let deadline: Date
    }

    /// From then on no provider call begins under what was taken away.
    package let effectiveAt: Date
    /// From then on none is on the wire; nil when a call is in doubt.
    package let settledAt: Date?
    package let inDoubt: [InDoubtCall]
}

/// Changes authority, and tells when the change has taken hold (H4).
///
/// The change takes the scope's lock exclusively, which everybody who opens a call permit holds shared. Once it
/// is committed, no permit opens under the old facts. It then waits for the permits that were open: each is
/// closed by its holder, or passes its deadline and is in doubt.
package struct AuthorityChanges: Sendable {
    /// How often open permits are looked at, while a change waits for them.
    private static let lookInterval = Duration.milliseconds(5)

    private let pool: PostgresPool
    private let makeID: @Sendable () -> UUID

    package init(pool: PostgresPool, makeID: @escaping @Sendable () -> UUID) {
        self.pool = pool
        self.makeID = makeID
    }

    /// Makes the change, and waits until it has settled or the last deadline has passed.
    ///
    /// Throws ``StoreError/notFound(_:)`` when there is nothing to change, and the database's error when nothing
    /// was changed, or (`commitUnknown`) nobody knows: then repeat it, a repetition does no harm.
    package func apply(
        _ change: AuthorityChange, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> BarrierAnswer {
        let plan = Plan(change, workspace, by: actor)
        let affected = try await pool.transaction { transaction in
            _ = try await transaction.query(Self.lock, [plan.lockScope.map { .uuid($0) } ?? .null])
            let changed = try await transaction.query(plan.statement, plan.parameters)
            guard let row = changed.first else { throw StoreError.notFound(plan.subject) }
            let affected = try row.uuidOrNil("affected")
            try transaction.enqueue(
                Self.audit,
                [
                    .text(plan.action.rawValue), .uuid(workspace.uuid),
                    plan.tenant.map { .uuid($0.uuid) } ?? .null, actor.parameter, .json(plan.details.text),
                    .bool(plan.column == "all"),
                ])
            return affected
        }
        if let tenant = change.givesBack { try await wakeWaiting(on: tenant) }
        return try await settle(plan.affected(affected))
    }

    // MARK: the change

    /// NULL is the lock of everything.
    private static let lock: Statement = """
        SELECT pg_advisory_xact_lock(CASE WHEN $1::uuid IS NULL THEN 0 ELSE authority_lock($1::uuid) END)
        """

    /// What concerns everything ($6) is told to every workspace's auditor.
    private static let audit: Statement = """
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
        SELECT $1, w.id, $3::uuid, $4::uuid, $5::jsonb FROM workspaces w WHERE w.id = $2::uuid OR $6::bool
        """

    /// Which permits a change concerns.
    private struct Affected {
        /// The column of `call_permits` that is compared, and with what. NULL: all permits.
        let column: String
        let value: UUID?
    }

    /// A change as statements.
    private struct Plan {
        /// Whose lock is taken: a tenant's, a workspace's, or (nil) the one of everything.
        var lockScope: UUID?
        /// Returns one row with the id of what the permits refer to as `affected`; none when there is nothing.
        var statement: Statement
        var parameters: [Parameter]
        /// The column that `affected` is compared with.
        var column: String
        var subject: String
        var tenant: TenantID?
        var action: AuditAction
        var details: JSON

        func affected(_ value: UUID?) -> Affected { Affected(column: column, value: value) }

        init(_ change: AuthorityChange, _ workspace: WorkspaceID, by actor: AuditRecord.Actor) {
            switch change {
            case .revokeMembership(let user, let tenant):
                self.init(
                    lock: tenant?.uuid ?? workspace.uuid, statement: Plan.revoke,
                    parameters: Plan.member(workspace, user, tenant) + [actor.parameter], column: "grant",
                    subject: "membership", tenant: tenant, action: .accessRevoked,
                    details: ["user_id": .string("\(user)")])
            case .changeRole(let user, let tenant, let role):
                self.init(
                    lock: tenant?.uuid ?? workspace.uuid, statement: Plan.role,
                    parameters: Plan.member(workspace, user, tenant) + [.text(role.rawValue)],
                    column: "grant", subject: "membership", tenant: tenant, action: .accessRoleChanged,
                    details: ["user_id": .string("\(user)"), "role": .string(role.rawValue)])
            case .disableUser(let user):
                self.init(
                    lock: workspace.uuid, statement: Plan.disableUser,
                    parameters: [.uuid(workspace.uuid), .uuid(user.uuid)], column: "user", subject: "user",
                    action: .userDisabled, details: ["user_id": .string("\(user)")])
            case .setOperability(let tenant, let operability):
                self.init(
                    lock: tenant.uuid, statement: Plan.operability,
                    parameters: [.uuid(workspace.uuid), .uuid(tenant.uuid), .text(operability.rawValue)],
                    column: "tenant", subject: "tenant", tenant: tenant, action: .tenantOperabilityChanged,
                    details: ["operability": .string(operability.rawValue)])
            case .setWriteGate(let tenant, let isOpen):
                self.init(
                    lock: tenant.uuid, statement: Plan.writeGate,
                    parameters: [.uuid(workspace.uuid), .uuid(tenant.uuid), .bool(isOpen)],
                    column: "tenant", subject: "tenant", tenant: tenant, action: .writeGateChanged,
                    details: ["open": .bool(isOpen)])
            case .setConnectionEnabled(let connection, let isEnabled):
                self.init(
                    lock: workspace.uuid, statement: Plan.connectionEnabled,
                    parameters: [.uuid(workspace.uuid), .uuid(connection.uuid), .bool(isEnabled)],
                    column: "connection", subject: "provider connection",
                    action: isEnabled ? .connectionEnabled : .connectionDisabled,
                    details: ["provider_connection_id": .string("\(connection)")])
            case .freeze(let scope):
                self = Plan.freeze(scope, workspace, frozen: true)
            }
        }

        private init(
            lock: UUID?, statement: Statement, parameters: [Parameter], column: String, subject: String,
            tenant: TenantID? = nil, action: AuditAction, details: JSON
        ) {
            lockScope = lock
            self.statement = statement
            self.parameters = parameters
            self.column = column
            self.subject = subject
            self.tenant = tenant
            self.action = action
            self.details = details
        }

        static func freeze(_ scope: FreezeScope, _ workspace: WorkspaceID, frozen: Bool) -> Plan {
            let action: AuditAction = frozen ? .frozen : .unfrozen
            let flag = Parameter.bool(frozen)
            return switch scope {
            case .everything:
                Plan(
                    lock: nil, statement: freezeEverything, parameters: [flag], column: "all",
                    subject: "platform", action: action, details: ["scope": "everything"])
            case .workspace(let id):
                Plan(
                    lock: id.uuid, statement: freezeWorkspace, parameters: [.uuid(id.uuid), flag],
                    column: "workspace", subject: "workspace", action: action, details: ["scope": "workspace"]
                )
            case .tenant(let id):
                Plan(
                    lock: id.uuid, statement: freezeTenant,
                    parameters: [.uuid(workspace.uuid), .uuid(id.uuid), flag], column: "tenant",
                    subject: "tenant", tenant: id, action: action, details: ["scope": "tenant"])
            case .connection(let id):
                Plan(
                    lock: workspace.uuid, statement: freezeConnection,
                    parameters: [.uuid(workspace.uuid), .uuid(id.uuid), flag], column: "connection",
                    subject: "provider connection", action: action,
                    details: ["scope": "connection", "provider_connection_id": .string("\(id)")])
            }
        }

        private static func member(
            _ workspace: WorkspaceID, _ user: UserID, _ tenant: TenantID?
        ) -> [Parameter] {
            [.uuid(workspace.uuid), .uuid(user.uuid), tenant.map { .uuid($0.uuid) } ?? .null]
        }

        // Each raises the epoch of the tenants it concerns, so that decisions tell before and after apart.

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
                UPDATE provider_connections SET enabled = $3::bool
                WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id, tenant_id
            ), raised AS (
                UPDATE tenants t SET authority_epoch = authority_epoch + 1
                FROM changed c WHERE t.id = c.tenant_id
            )
            SELECT id AS affected FROM changed
            """

        private static let freezeEverything: Statement = """
            UPDATE platform SET frozen = $1::bool, freeze_generation = freeze_generation + 1
            RETURNING NULL::uuid AS affected
            """

        private static let freezeWorkspace: Statement = """
            UPDATE workspaces SET frozen = $2::bool, freeze_generation = freeze_generation + 1
            WHERE id = $1::uuid RETURNING id AS affected
            """

        private static let freezeTenant: Statement = """
            UPDATE tenants SET frozen = $3::bool, freeze_generation = freeze_generation + 1,
                               authority_epoch = authority_epoch + 1
            WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id AS affected
            """

        private static let freezeConnection: Statement = """
            UPDATE provider_connections SET frozen = $3::bool, freeze_generation = freeze_generation + 1
            WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id AS affected
            """
    }

    // MARK: the barrier

    private static let open: Statement = """
        SELECT id, run_id, call, opened_at, deadline, deadline < clock_timestamp() AS is_past,
               clock_timestamp() AS now
        FROM call_permits
        WHERE closed_at IS NULL AND CASE $1
            WHEN 'grant' THEN grant_id = $2::uuid
            WHEN 'user' THEN user_id = $2::uuid
            WHEN 'tenant' THEN tenant_id = $2::uuid
            WHEN 'connection' THEN connection_id = $2::uuid
            WHEN 'workspace' THEN workspace_id = $2::uuid
            ELSE true END
        """

    private static let now: Statement = "SELECT clock_timestamp() AS now"

    /// Waits until every permit that was open has been closed or is past its deadline. New permits of the
    /// scope may open meanwhile under other grants: only those that were open at the start are waited for.
    private func settle(_ affected: Affected) async throws -> BarrierAnswer {
        let parameters: [Parameter] = [.text(affected.column), affected.value.map { .uuid($0) } ?? .null]
        let first = try await pool.pipeline([(Self.now, []), (Self.open, parameters)])
        let effectiveAt = try first[0][0].date("now")
        var rows = first[1]
        let mine = Set(try rows.map { try $0.uuid("id") })
        while true {
            let open = try rows.filter { mine.contains(try $0.uuid("id")) }
            let inDoubt = try open.filter { try $0.bool("is_past") }
            if inDoubt.count == open.count {
                let calls = try inDoubt.map(Self.call)
                let now = try await pool.query(Self.now)[0].date("now")
                return BarrierAnswer(
                    effectiveAt: effectiveAt, settledAt: calls.isEmpty ? now : nil, inDoubt: calls)
            }
            try await Task.sleep(for: Self.lookInterval)
            rows = try await pool.query(Self.open, parameters)
        }
    }

    private static func call(_ row: Row) throws -> BarrierAnswer.InDoubtCall {
        BarrierAnswer.InDoubtCall(
            id: CallID(try row.uuid("id")), runID: RunID(try row.uuid("run_id")), call: try row.text("call"),
            openedAt: try row.date("opened_at"), deadline: try row.date("deadline"))
    }

    // MARK: giving

    /// Gives a person a role on a tenant, or on the whole workspace. It is a new grant in any case.
    ///
    /// Throws ``StoreError/notFound(_:)`` when the person or the tenant is not of the workspace, and the
    /// database's unique violation when the person already holds a grant there.
    package func grant(
        user: UserID, tenant: TenantID?, role: Role, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> GrantID {
        let id = makeID()
        return try await pool.transaction { transaction in
            let rows = try await transaction.query(
                """
                INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role, granted_by)
                SELECT $1::uuid, u.workspace_id, $4::uuid, u.id, $5, $6::uuid FROM users u
                WHERE u.id = $3::uuid AND u.workspace_id = $2::uuid
                  AND ($4::uuid IS NULL OR EXISTS (
                       SELECT FROM tenants t WHERE t.id = $4::uuid AND t.workspace_id = $2::uuid))
                RETURNING id
                """,
                [
                    .uuid(id), .uuid(workspace.uuid), .uuid(user.uuid),
                    tenant.map { .uuid($0.uuid) } ?? .null, .text(role.rawValue), actor.parameter,
                ])
            guard !rows.isEmpty else { throw StoreError.notFound("user or tenant") }
            let details: JSON = ["user_id": .string("\(user)"), "role": .string(role.rawValue)]
            try transaction.enqueue(
                Self.audit,
                [
                    .text(AuditAction.accessGranted.rawValue), .uuid(workspace.uuid),
                    tenant.map { .uuid($0.uuid) } ?? .null, actor.parameter, .json(details.text),
                    .bool(false),
                ])
            return GrantID(id)
        }
    }

    /// Lets a disabled person act again. What was queued before the person was disabled may execute again.
    package func enableUser(
        _ user: UserID, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws {
        let enable: Statement = """
            UPDATE users SET disabled_at = NULL WHERE workspace_id = $1::uuid AND id = $2::uuid RETURNING id
            """
        try await pool.transaction { transaction in
            let rows = try await transaction.query(enable, [.uuid(workspace.uuid), .uuid(user.uuid)])
            guard !rows.isEmpty else { throw StoreError.notFound("user") }
            let details: JSON = ["user_id": .string("\(user)")]
            try transaction.enqueue(
                Self.audit,
                [
                    .text(AuditAction.userEnabled.rawValue), .uuid(workspace.uuid), .null, actor.parameter,
                    .json(details.text), .bool(false),
                ])
        }
    }

    /// Lifts a freeze. The generation is raised again: nothing that was queued before comes back by itself.
    package func unfreeze(
        _ scope: FreezeScope, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws {
        let plan = Plan.freeze(scope, workspace, frozen: false)
        try await pool.transaction { transaction in
            let rows = try await transaction.query(plan.statement, plan.parameters)
            guard !rows.isEmpty else { throw StoreError.notFound(plan.subject) }
            try transaction.enqueue(
                Self.audit,
                [
                    .text(plan.action.rawValue), .uuid(workspace.uuid),
                    plan.tenant.map { .uuid($0.uuid) } ?? .null, actor.parameter, .json(plan.details.text),
                    .bool(plan.column == "all"),
                ])
        }
    }

    private static let wake: Statement = """
        WITH woken AS (
            UPDATE runs SET next_attempt_at = clock_timestamp()
            WHERE tenant_id = $1::uuid AND completed_at IS NULL AND state = 'queued'
              AND next_attempt_at IS NOT NULL
            RETURNING id
        )
        UPDATE outbox o SET due_at = clock_timestamp() FROM woken w WHERE w.id = o.run_id
        """

    /// Lets the waiting runs of a tenant look again at once, after something was given back.
    private func wakeWaiting(on tenant: TenantID) async throws {
        _ = try await pool.query(Self.wake, [.uuid(tenant.uuid)])
    }
}

extension AuditRecord.Actor {
    var parameter: Parameter {
        switch self {
        case .user(let id): .uuid(id.uuid)
        case .system: .null
        }
    }
}
