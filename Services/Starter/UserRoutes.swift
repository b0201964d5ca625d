import HTTPTypes
import JSON
import Operations
import Store

/// The people of the caller's workspace, for those who manage access.
struct UserRoutes: Sendable {
    let users: UserReading
    let access: AccessReading

    /// Needs `access.manage` on the whole workspace or on any tenant of it. Of grants on tenants, only those
    /// on the tenants where the caller manages access are shown.
    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .users)
        try parameters.finish()
        let caller = call.caller
        let managed = try await Access.tenants(of: caller, holding: .accessManage, access)
        if managed.isEmpty {
            // A workspace without tenants has managers, too.
            try await Access(of: caller, at: .workspace(caller.workspaceID), access).require(.accessManage)
        }
        let page = try await users.users(
            of: caller.workspaceID, grantsOn: managed, after: after.map(UserID.init), limit: limit)
        return .page("users", page, json: \.json, cursor: { Cursor(.users, after: $0.id.uuid) }, of: call)
    }
}

extension UserSummary {
    fileprivate var json: JSON {
        [
            "id": .string("\(id)"), "name": .string(name), "kind": .string(kind.rawValue),
            "disabled": .bool(isDisabled),
            "grants": .array(
                grants.map { grant in
                    [
                        "grant_id": .string("\(grant.id)"),
                        "tenant_id": .optional(grant.tenantID?.description),
                        "role": .string(grant.role.rawValue),
                    ]
                }),
        ]
    }
}
