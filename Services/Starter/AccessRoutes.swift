import HTTPTypes
import JSON
import Operations
import Postgres
import Store

/// Giving access, and taking it away: every answer of the latter says when it took hold.
///
/// Whatever concerns a tenant needs `access.manage` on it; whatever concerns a person or the whole workspace
/// needs it on the whole workspace.
struct AccessRoutes: Sendable {
    let changes: AuthorityChanges
    let access: AccessReading

    func grant(_ call: Call) async throws -> Answer {
        let (user, tenant, role) = try await membership(call)
        let workspace = try await manage(tenant, call.caller)
        do {
            let grant = try await changes.grant(
                user: user, tenant: tenant, role: role, in: workspace, by: .user(call.caller.userID))
            return grant.barrier.answer(settled: .created, with: [("grant_id", .string("\(grant.id)"))])
        } catch let error as PostgresError where error.sqlState == "23505" {
            throw Problem.conflict(
                "This person has access there already. Change the role with POST /v1/access/roles.",
                reasonCode: "already_granted")
        }
    }

    func revoke(_ call: Call) async throws -> Answer {
        try call.parameters.finish()
        var members = try await call.members()
        let user: UserID = members.id("user_id")
        let tenant: TenantID? = members.optionalID("tenant_id")
        try members.finish()
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.revokeMembership(user: user, tenant: tenant), in: workspace, call)
    }

    func changeRole(_ call: Call) async throws -> Answer {
        let (user, tenant, role) = try await membership(call)
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.changeRole(user: user, tenant: tenant, role: role), in: workspace, call)
    }

    func disable(_ user: UserID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        return try await apply(.disableUser(user), in: manage(nil, call.caller), call)
    }

    func enable(_ user: UserID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try await changes.enableUser(user, in: manage(nil, call.caller), by: .user(call.caller.userID))
        return .noContent
    }

    func setOperability(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        var members = try await call.members()
        let operability: AuthorityFacts.Operability = members.choice("operability")
        try members.finish()
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.setOperability(tenant, operability), in: workspace, call)
    }

    func setWriteGate(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        var members = try await call.members()
        let isOpen = members.bool("open")
        try members.finish()
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.setWriteGate(tenant, isOpen: isOpen), in: workspace, call)
    }

    func setEnabled(_ connection: ConnectionID, _ call: Call) async throws -> Answer {
        try call.parameters.finish()
        var members = try await call.members()
        let isEnabled = members.bool("enabled")
        try members.finish()
        let workspace = try await manage(.connection(connection), call.caller)
        return try await apply(.setConnectionEnabled(connection, isEnabled), in: workspace, call)
    }

    func freeze(_ call: Call) async throws -> Answer {
        let (scope, place) = try await freezeScope(call)
        return try await apply(.freeze(scope), in: manage(place, call.caller), call)
    }

    func liftFreeze(_ call: Call) async throws -> Answer {
        let (scope, place) = try await freezeScope(call)
        try await changes.unfreeze(scope, in: manage(place, call.caller), by: .user(call.caller.userID))
        return .noContent
    }

    // MARK: parts

    private func membership(_ call: Call) async throws -> (UserID, TenantID?, Role) {
        try call.parameters.finish()
        var members = try await call.members()
        let user: UserID = members.id("user_id")
        let tenant: TenantID? = members.optionalID("tenant_id")
        let role: Role = members.choice("role")
        try members.finish()
        return (user, tenant, role)
    }

    private enum FreezeWord: String, CaseIterable {
        case workspace, tenant, connection
    }

    private func freezeScope(_ call: Call) async throws -> (FreezeScope, AccessReading.Place) {
        try call.parameters.finish()
        var members = try await call.members()
        let word: FreezeWord = members.choice("scope")
        let id: Identifier<Never> = members.id("id")
        try members.finish()
        return switch word {
        case .workspace: (.workspace, .workspace(WorkspaceID(id.uuid)))
        case .tenant: (.tenant(TenantID(id.uuid)), .tenant(TenantID(id.uuid)))
        case .connection: (.connection(ConnectionID(id.uuid)), .connection(ConnectionID(id.uuid)))
        }
    }

    /// Without a tenant it is the caller's whole workspace.
    private func manage(_ tenant: TenantID?, _ caller: Principal) async throws -> WorkspaceID {
        try await manage(tenant.map(AccessReading.Place.tenant) ?? .workspace(caller.workspaceID), caller)
    }

    /// Throws unless the caller manages access at the place. Returns the workspace that it is in.
    private func manage(_ place: AccessReading.Place, _ caller: Principal) async throws -> WorkspaceID {
        let access = try await Access(of: caller, at: place, access)
        try access.require(.accessManage)
        return access.workspace
    }

    private func apply(
        _ change: AuthorityChange, in workspace: WorkspaceID, _ call: Call
    ) async throws -> Answer {
        try await changes.apply(change, in: workspace, by: .user(call.caller.userID)).answer()
    }
}

extension BarrierAnswer {
    /// `settled` when nothing is on the wire any more, 202 when nobody can tell of some calls.
    fileprivate func answer(
        settled status: HTTPResponse.Status = .ok, with first: [(String, JSON)] = []
    ) -> Answer {
        let calls = inDoubt.map { call -> JSON in
            [
                "call_id": .string("\(call.id)"), "run_id": .string("\(call.runID)"),
                "call": .string(call.call), "opened_at": Timestamp.json(call.openedAt),
                "deadline": Timestamp.json(call.deadline),
            ]
        }
        let members: [(String, JSON)] = [
            ("effective_at", Timestamp.json(effectiveAt)), ("settled_at", settledAt.json),
            ("in_doubt", .array(calls)),
        ]
        return .json(settledAt == nil ? .accepted : status, .object(JSONObject(first + members)))
    }
}
