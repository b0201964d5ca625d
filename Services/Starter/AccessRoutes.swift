import HTTPTypes
import JSON
import Operations
import Postgres
import Store

/// Giving access, and taking it away: every answer of the latter says when it took hold.
///
/// Whatever concerns a tenant needs `access.manage` on it; whatever concerns a person or the whole workspace
/// needs it on the whole workspace. Switching a connection needs `provider.manage` on it.
///
/// What takes something away can be looked at before: with `what_if` nothing is changed, and the answer says what would
/// be stopped.
struct AccessRoutes: Sendable {
    let changes: AuthorityChanges
    let preview: AuthorityPreview
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
        let (user, tenant, isPreview): (UserID, TenantID?, Bool) = try await call.read { members in
            (members.id("user_id"), members.optionalID("tenant_id"), members.whatIf)
        }
        let workspace = try await manage(tenant, call.caller)
        return try await apply(
            .revokeMembership(user: user, tenant: tenant), in: workspace, isPreview, call)
    }

    func changeRole(_ call: Call) async throws -> Answer {
        let (member, isPreview) = try await call.read { (Membership(&$0), $0.whatIf) }
        let workspace = try await manage(member.tenant, call.caller)
        return try await apply(
            .changeRole(user: member.user, tenant: member.tenant, role: member.role), in: workspace,
            isPreview, call)
    }

    func disable(_ user: UserID, _ call: Call) async throws -> Answer {
        let isPreview = try await call.read { $0.whatIf }
        return try await apply(.disableUser(user), in: manage(nil, call.caller), isPreview, call)
    }

    func enable(_ user: UserID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try await changes.enableUser(user, in: manage(nil, call.caller), by: .user(call.caller.userID))
        return .noContent
    }

    func setOperability(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        let (operability, isPreview): (AuthorityFacts.Operability, Bool) = try await call.read {
            ($0.choice("operability"), $0.whatIf)
        }
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.setOperability(tenant, operability), in: workspace, isPreview, call)
    }

    func setWriteGate(_ tenant: TenantID, _ call: Call) async throws -> Answer {
        let (isOpen, isPreview) = try await call.read { ($0.bool("open"), $0.whatIf) }
        let workspace = try await manage(tenant, call.caller)
        return try await apply(.setWriteGate(tenant, isOpen: isOpen), in: workspace, isPreview, call)
    }

    func setEnabled(_ connection: ConnectionID, _ call: Call) async throws -> Answer {
        let (isEnabled, isPreview) = try await call.read { ($0.bool("enabled"), $0.whatIf) }
        let workspace = try await manage(.connection(connection), call.caller, .providerManage)
        return try await apply(.setConnectionEnabled(connection, isEnabled), in: workspace, isPreview, call)
    }

    func freeze(_ call: Call) async throws -> Answer {
        let (isPreview, (scope, place)) = try await call.read { ($0.whatIf, Self.freezeScope(&$0)) }
        return try await apply(.freeze(scope), in: manage(place, call.caller), isPreview, call)
    }

    func liftFreeze(_ call: Call) async throws -> Answer {
        let (scope, place) = try await call.read(Self.freezeScope)
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

    private static func freezeScope(_ members: inout Members) -> (FreezeScope, AccessReading.Place) {
        let word: FreezeWord = members.choice("scope")
        let id: Identifier<Never> = members.id("id")
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

    /// Throws unless the caller manages access, or has another capability, at the place. Returns the workspace that it is in.
    private func manage(
        _ place: AccessReading.Place, _ caller: Principal, _ capability: Capability = .accessManage
    ) async throws -> WorkspaceID {
        let access = try await Access(of: caller, at: place, access)
        try access.require(capability)
        return access.workspace
    }

    private func apply(
        _ change: AuthorityChange, in workspace: WorkspaceID, _ isPreview: Bool, _ call: Call
    ) async throws -> Answer {
        guard !isPreview else { return .json(.ok, try await preview.outlook(change, in: workspace).json) }
        let answer = try await changes.apply(change, in: workspace, by: .user(call.caller.userID))
        // What takes nothing away has nothing to tell of calls.
        return change.takes ? answer.answer() : .noContent
    }
}

extension Members {
    /// Whether only to tell what would be stopped.
    fileprivate var whatIf: Bool { mutating get { optionalBool("what_if") } }
}

extension AuthorityPreview.Outlook {
    /// The most runs and schedules that are named; the numbers count all.
    private static let named = 200

    fileprivate var json: JSON {
        [
            "what_if": true, "run_count": .int(runs.count), "schedule_count": .int(schedules.count),
            "whole": .bool(isWhole), "runs": .array(runs.prefix(Self.named).map(\.json)),
            "schedules": .array(schedules.prefix(Self.named).map(\.json)),
        ]
    }
}

extension AuthorityPreview.Run {
    fileprivate var json: JSON {
        [
            "run_id": .string("\(id)"), "href": .string(RunAddress.path(of: id)),
            "operation": .string(operation),
            "label": .string(OperationCatalogue.definition(named: operation)?.label ?? operation),
            "tenant": .string(tenant), "initiator": .optional(initiator), "state": .string(state.rawValue),
            "ends": .bool(ends), "reason": RunReason.denial(reason).json(isOver: ends),
        ]
    }
}

extension AuthorityPreview.Orphan {
    fileprivate var json: JSON {
        [
            "schedule_id": .string("\(id)"), "operation": .string(operation),
            "label": .string(OperationCatalogue.definition(named: operation)?.label ?? operation),
            "tenant": .string(tenant), "person": .optional(person),
            "reason": RunReason.denial(reason).json(isOver: false),
        ]
    }
}
