import HTTPTypes
import JSON
import Operations
import Store

/// Who the caller is, and which tenants, connections and notifications the caller may see.
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
                "grants": .array(
                    grants.map { grant in
                        [
                            "grant_id": .string("\(grant.id)"),
                            "tenant_id": .optional(grant.tenantID?.description),
                            "role": .string(grant.role.rawValue), "capabilities": grant.role.json,
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
            visible(to: call.caller, .providerView), of: call.caller.userID, after: after.map(TenantID.init),
            limit: limit)
        return .page(
            "tenants", page, json: \.json, cursor: { Cursor(.tenants, after: $0.id.uuid) }, of: call)
    }

    func connections(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let tenant: TenantID? = parameters.id("tenant_id")
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .connections)
        try parameters.finish()
        if let tenant {
            try await Access(of: call.caller, at: .tenant(tenant), access).require(.providerView)
        }
        let places = if let tenant { [tenant] } else { try await visible(to: call.caller, .providerView) }
        let page = try await tenants.connections(
            of: places, after: after.map(ConnectionID.init), limit: limit)
        return .page(
            "provider_connections", page, json: \.json, cursor: { Cursor(.connections, after: $0.id.uuid) },
            of: call)
    }

    func notifications(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let before = parameters.cursor(of: .notifications)
        try parameters.finish()
        let page = try await tenants.inbox(
            of: call.caller.userID, on: visible(to: call.caller, .operationsView),
            before: before.map(DeliveryID.init), limit: limit)
        return .page(
            "notifications", page, json: \.json, cursor: { Cursor(.notifications, after: $0.id.uuid) },
            of: call)
    }

    private func visible(to caller: Principal, _ capability: Capability) async throws -> [TenantID] {
        try await access.tenants(of: caller.userID, in: caller.workspaceID, holding: capability)
    }
}

extension Role {
    /// Its capabilities, in the order of the registry.
    fileprivate var json: JSON {
        .array(Capability.allCases.filter(holds).map { .string($0.rawValue) })
    }
}

extension TenantSummary {
    fileprivate var json: JSON {
        [
            "tenant_id": .string("\(id)"), "name": .string(name),
            "operability": .string(operability.rawValue),
            "write_gate": [
                "open": .bool(writeGate.isOpen), "healthy": .bool(writeGate.isHealthy),
                "checked_at": writeGate.checkedAt.json, "limit_seconds": .int(writeGate.limitSeconds),
            ],
            "role": .string(role.rawValue), "capabilities": role.json,
        ]
    }
}

extension ConnectionSummary {
    fileprivate var json: JSON {
        [
            "provider_connection_id": .string("\(id)"), "display_name": .string(displayName),
            "tenant": tenant.json, "provider": .string(provider), "cloud": .string(cloud),
            "entra_tenant_id": .string(entraTenantID), "entra_tenant_name": .string(entraTenantName),
            "client_id": .string(clientID), "default": .bool(isDefault), "enabled": .bool(isEnabled),
            "credential": .bool(hasCredential), "health": .string(health),
            "health_reason": .optional(healthReason), "health_checked_at": healthCheckedAt.json,
            "active_run_id": .optional(activeRun?.description),
        ]
    }
}

extension InboxEntry {
    fileprivate var json: JSON {
        [
            "run_id": .string("\(run)"), "href": .string(RunAddress.path(of: run)), "tenant": tenant.json,
            "title": .string(title), "body": .string(body), "created_at": Timestamp.json(createdAt),
            "read_at": readAt.json,
        ]
    }
}
