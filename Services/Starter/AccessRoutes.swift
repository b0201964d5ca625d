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
        let member = try await call.read(Membership.init)
        let workspace = try await manage(member.tenant, call.caller)
        do {
            let grant = try await changes.grant(
                user: member.user, tenant: member.tenant, role: member.role, in: workspace,
                by: .user(call.caller.userID))
            let id = ("grant_id", JSON.string("\(grant.id)"))
            return grant.barrier?.answer(settled: .created, with: [id])
                ?? .json(.created, .object(JSONObject([id])))
        } catch let error as PostgresError where error.sqlState == "23505" {
            throw Problem.conflict(
                "This person has access there already. Change the role with POST /v1/access/roles.",
                reasonCode: "already_granted")
        }
    }

    func revoke(_ call: Call) async throws -> Answer {
        let (user, tenant): (UserID, TenantID?) = try await call.read { members in
            (members.id("user_id"), members.optionalID("tenant_id"))
        }
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.revokeMembership(user: user, tenant: tenant), in: workspace, call)
    }

    func changeRole(_ call: Call) async throws -> Answer {
        let member = try await call.read(Membership.init)
        let workspace = try await manage(member.tenant, call.caller)
        return try await apply(
            .changeRole(user: member.user, tenant: member.tenant, role: member.role), in: workspace, call)
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
        let operability: AuthorityFacts.Operability = try await call.read { $0.choice("operability") }
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.setOperability(tenant, operability), in: workspace, call)
    }

    func setWriteGate(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        let isOpen = try await call.read { $0.bool("open") }
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.setWriteGate(tenant, isOpen: isOpen), in: workspace, call)
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

    /// A person, a role, and the tenant that it is for; no tenant means the whole workspace.
    private struct Membership {
        let user: UserID
        let tenant: TenantID?
        let role: Role

        init(_ members: inout Members) {
            user = members.id("user_id")
            tenant = members.optionalID("tenant_id")
            role = members.choice("role")
        }
    }

    private enum FreezeWord: String, CaseIterable {
        case workspace, tenant, connection
    }

    private func freezeScope(_ call: Call) async throws -> (FreezeScope, AccessReading.Place) {
        let (word, id): (FreezeWord, Identifier<Never>) = try await call.read { members in
            (members.choice("scope"), members.id("id"))
        }
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
