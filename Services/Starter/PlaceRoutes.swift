import HTTPTypes
import JSON
import Operations
import Store

/// Who the caller is, and which tenants the caller may see.
struct PlaceRoutes: Sendable {
    let tenants: TenantReading
    let access: AccessReading

    func me(_ call: Call) async throws -> Answer {
        try call.parameters.finish()
        let caller = call.caller
        let grants = try await access.grants(of: caller.userID, in: caller.workspaceID)
        return .json(
            .ok,
            [
                "user": [
                    "user_id": .string("\(caller.userID)"), "name": .string(caller.name),
                    "kind": .string(caller.kind.rawValue), "workspace_id": .string("\(caller.workspaceID)"),
                ],
                "token": .object(JSONObject(caller.scope.members)),
                "grants": .array(
                    grants.map { grant in
                        [
                            "grant_id": .string("\(grant.id)"),
                            "tenant_id": .optional(grant.tenantID?.description),
                            "role": .string(grant.role.rawValue),
                            "capabilities": grant.role.json(with: caller),
                        ]
                    }),
            ])
    }

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .tenants)
        try parameters.finish()
        let page = try await tenants.tenants(
            Access.tenants(of: call.caller, holding: .providerView, access), of: call.caller.userID,
            after: after.map(TenantID.init), limit: limit)
        return .page(
            "tenants", page, json: { $0.json(for: call.caller) },
            cursor: { Cursor(.tenants, after: $0.id.uuid) }, of: call)
    }
}

extension Role {
    /// Its capabilities, as far as the caller's token is for them, in the order of the registry.
    fileprivate func json(with caller: Principal) -> JSON {
        let usable = Capability.allCases.filter { holds($0) && caller.scope.includes($0) }
        return .array(usable.map { .string($0.rawValue) })
    }
}

extension TenantSummary {
    fileprivate func json(for caller: Principal) -> JSON {
        [
            "tenant_id": .string("\(id)"), "name": .string(name),
            "operability": .string(operability.rawValue),
            "write_gate": [
                "open": .bool(writeGate.isOpen), "healthy": .bool(writeGate.isHealthy),
                "checked_at": writeGate.checkedAt.json, "limit_seconds": .int(writeGate.limitSeconds),
            ],
            "role": .string(role.rawValue), "capabilities": role.json(with: caller),
        ]
    }
}
