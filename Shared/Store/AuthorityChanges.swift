package import FoundationEssentials
package import Operations
package import Postgres
internal import JSON

/// A grant that was given, and when it took hold.
package struct GivenGrant: Sendable, Hashable {
    package let id: GrantID
    /// A grant on a tenant stands before the one on the whole workspace: from then on, what was queued or is
    /// executing there under the latter is refused. Nil when there was none: nothing was taken away.
    package let barrier: BarrierAnswer?
}

/// Changes authority, and tells when the change has taken hold (H4).
///
/// The change takes the scope's lock exclusively, which everybody who opens a call permit holds shared. Once it
/// is committed, no permit opens under the old facts. It then waits for the permits that were open: each is
/// closed by its holder, or passes its deadline and is in doubt.
package struct AuthorityChanges: Sendable {
    private let pool: PostgresPool
    private let makeID: @Sendable () -> UUID

    package init(pool: PostgresPool, makeID: @escaping @Sendable () -> UUID) {
        self.pool = pool
        self.makeID = makeID
    }

    // MARK: taking

    /// Makes the change, and waits until it has settled or the last deadline has passed. One that takes nothing away has
    /// settled at once: no call has to end for it, and none in doubt is its own.
    ///
    /// Throws ``StoreError/notFound(_:)`` when there is nothing to change, and the database's error when nothing
    /// was changed, or (`commitUnknown`) nobody knows: then repeat it, a repetition does no harm.
    package func apply(
        _ change: AuthorityChange, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> BarrierAnswer {
        let plan = AuthorityPlan(change, workspace, by: actor)
        let affected = try await pool.transaction { transaction in
            try await lock(plan.lockScope, transaction)
            return try await carryOut(plan, in: workspace, by: actor, transaction)
        }
        if let tenant = change.givesBack {
            // It is committed: the waiting runs look again by themselves, if later.
            try? await wakeWaiting(on: tenant)
        }
        let barrier = Barrier(pool: pool)
        guard change.takes else { return try await barrier.settledNow() }
        let answer = try await barrier.settle(plan.concerns, affected)
        try await record(
            answer, of: plan.action, plan.details, on: plan.tenant,
            connection: plan.concerns == .ofConnection ? affected : nil, in: workspace, by: actor,
            everywhere: plan.concerns == .all)
        return answer
    }

    /// Enters when a change took effect: what somebody can show an auditor later.
    private func record(
        _ answer: BarrierAnswer, of action: AuditAction, _ details: JSON, on tenant: TenantID?,
        connection: UUID? = nil, in workspace: WorkspaceID, by actor: AuditRecord.Actor,
        everywhere: Bool = false
    ) async throws {
        var members = details.object ?? JSONObject()
        members["change"] = .string(action.rawValue)
        members["effective_at"] = Timestamp.json(answer.effectiveAt)
        members["settled_at"] = answer.settledAt.map(Timestamp.json) ?? .null
        members["in_doubt"] = .int(answer.inDoubt.count)
        let entry = JSON.object(members)
        try await pool.transaction { transaction in
            try enqueueAudit(
                .tookEffect, entry, on: tenant, connection: connection, in: workspace, by: actor,
                everywhere: everywhere, transaction)
        }
    }

    /// Locks a workspace's or a tenant's authority, or (nil) everything's.
    private func lock(_ scope: UUID?, _ transaction: Transaction) async throws {
        let lock: Statement = """
            SELECT pg_advisory_xact_lock(CASE WHEN $1::uuid IS NULL THEN 0 ELSE authority_lock($1::uuid) END)
            """
        _ = try await transaction.query(lock, [scope.map { .uuid($0) } ?? .null])
    }

    /// Changes and audits. Returns the id that the concerned permits refer to.
    private func carryOut(
        _ plan: AuthorityPlan, in workspace: WorkspaceID, by actor: AuditRecord.Actor,
        _ transaction: Transaction
    ) async throws -> UUID? {
        let changed = try await transaction.query(plan.statement, plan.parameters)
        guard let row = changed.first else { throw StoreError.notFound(plan.subject) }
        let affected = try row.uuidOrNil("affected")
        try enqueueAudit(
            plan.action, plan.details, on: plan.tenant,
            connection: plan.concerns == .ofConnection ? affected : nil, in: workspace, by: actor,
            everywhere: plan.concerns == .all, transaction)
        return affected
    }

    /// What concerns everything is told to every workspace's auditor; what concerns a connection belongs to its
    /// tenant.
    private func enqueueAudit(
        _ action: AuditAction, _ details: JSON, on tenant: TenantID? = nil, connection: UUID? = nil,
        in workspace: WorkspaceID, by actor: AuditRecord.Actor, everywhere: Bool = false,
        _ transaction: Transaction
    ) throws {
        let audit: Statement = """
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $1, w.id,
                   coalesce($3::uuid, (SELECT tenant_id FROM provider_connections WHERE id = $7::uuid)),
                   $4::uuid, $5::jsonb
            FROM workspaces w WHERE w.id = $2::uuid OR $6::bool
            """
        try transaction.enqueue(
            audit,
            [
                .text(action.rawValue), .uuid(workspace.uuid), tenant.map { .uuid($0.uuid) } ?? .null,
                actor.parameter, .json(details.text), .bool(everywhere),
                connection.map { .uuid($0) } ?? .null,
            ])
    }

    // MARK: giving

    private static let grant: Statement = """
        WITH given AS (
            INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role, granted_by)
            SELECT $1::uuid, u.workspace_id, $4::uuid, u.id, $5, $6::uuid FROM users u
            WHERE u.id = $3::uuid AND u.workspace_id = $2::uuid
              AND ($4::uuid IS NULL OR EXISTS (
                   SELECT FROM tenants t WHERE t.id = $4::uuid AND t.workspace_id = $2::uuid))
            RETURNING id
        ), superseded AS (
            SELECT m.id FROM memberships m JOIN given ON true
            WHERE m.user_id = $3::uuid AND m.workspace_id = $2::uuid AND m.tenant_id IS NULL
              AND m.revoked_at IS NULL AND $4::uuid IS NOT NULL
        ), raised AS (
            UPDATE tenants SET authority_epoch = authority_epoch + 1
            WHERE id = $4::uuid AND EXISTS (SELECT FROM superseded)
        )
        SELECT (SELECT id FROM superseded) AS superseded FROM given
        """

    /// Gives a person a role on a tenant, or on the whole workspace. It is a new grant in any case. On a tenant
    /// it stands before the one on the whole workspace, and so may take something away: it waits like
    /// ``apply(_:in:by:)``.
    ///
    /// Throws ``StoreError/notFound(_:)`` when the person or the tenant is not of the workspace, and the
    /// database's unique violation when the person already holds a grant there.
    package func grant(
        user: UserID, tenant: TenantID?, role: Role, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> GivenGrant {
        let id = makeID()
        let superseded = try await pool.transaction { transaction in
            try await lock(tenant?.uuid ?? workspace.uuid, transaction)
            let rows = try await transaction.query(
                Self.grant,
                [
                    .uuid(id), .uuid(workspace.uuid), .uuid(user.uuid),
                    tenant.map { .uuid($0.uuid) } ?? .null, .text(role.rawValue), actor.parameter,
                ])
            guard let row = rows.first else { throw StoreError.notFound("user or tenant") }
            try enqueueAudit(
                .accessGranted, ["user_id": .string("\(user)"), "role": .string(role.rawValue)], on: tenant,
                in: workspace, by: actor, transaction)
            return try row.uuidOrNil("superseded")
        }
        guard let superseded else { return GivenGrant(id: GrantID(id), barrier: nil) }
        let barrier = try await Barrier(pool: pool).settle(.ofGrantOnTenant, superseded, on: tenant)
        try await record(
            barrier, of: .accessGranted, ["user_id": .string("\(user)"), "role": .string(role.rawValue)],
            on: tenant, in: workspace, by: actor)
        return GivenGrant(id: GrantID(id), barrier: barrier)
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
            try enqueueAudit(
                .userEnabled, ["user_id": .string("\(user)")], in: workspace, by: actor, transaction)
        }
    }

    /// Lifts a freeze. The generation is raised again: nothing that was queued before comes back by itself.
    package func unfreeze(
        _ scope: FreezeScope, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws {
        let plan = AuthorityPlan.freeze(scope, workspace, frozen: false)
        _ = try await pool.transaction { transaction in
            try await carryOut(plan, in: workspace, by: actor, transaction)
        }
    }

    private static let wake: Statement = """
        WITH woken AS (
            UPDATE runs SET next_attempt_at = clock_timestamp()
            WHERE tenant_id = $1::uuid AND completed_at IS NULL AND state = 'queued'
              AND next_attempt_at IS NOT NULL
            RETURNING id
        ), woken_chunks AS (
            UPDATE run_chunks SET next_attempt_at = clock_timestamp()
            WHERE tenant_id = $1::uuid AND state = 'queued' AND next_attempt_at IS NOT NULL
              -- What failed at the provider waits for other reasons.
              AND reason_code = ANY ($2::text[])
            RETURNING run_id
        )
        UPDATE outbox o SET due_at = clock_timestamp()
        WHERE o.run_id IN (SELECT id FROM woken UNION ALL SELECT run_id FROM woken_chunks)
        """

    /// Lets the waiting runs of a tenant look again at once, after something was given back.
    private func wakeWaiting(on tenant: TenantID) async throws {
        _ = try await pool.query(
            Self.wake, [.uuid(tenant.uuid), .texts(DenialReason.allCases.map(\.rawValue))])
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
