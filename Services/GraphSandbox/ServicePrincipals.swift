import JSON

/// The two service principals that a tenant shows: the provider's app, and Microsoft Graph itself.
struct ServicePrincipals: Sendable {
    let graph: GraphCall

    /// The object id of the app's service principal. It depends on the tenant's id alone, as tokens carry it.
    static func appPrincipalID(_ tenant: Tenant) -> GUID {
        Draws(seed: 0, text: "principal|\(tenant.id)|\(tenant.app.clientID)").guid(0)
    }

    private static func graphPrincipalID(_ tenant: Tenant) -> GUID {
        Draws(seed: 0, text: "principal|\(tenant.id)|graph").guid(0)
    }

    func list() -> Answer {
        guard let filter = graph.call.query["$filter"] else { return documents.list(all) }
        guard let appID = Self.appID(inFilter: filter) else {
            return graph.badRequest("Invalid filter clause.")
        }
        return documents.list(all.filter { $0["appId"] == .string(appID.lowercased()) }, isFiltered: true)
    }

    func get(_ key: ServicePrincipalKey) -> Answer {
        guard let found = find(key) else { return graph.notFound(Self.text(key)) }
        return documents.entity(found)
    }

    /// What was granted to the app, as of now: a token may be up to its lifetime behind.
    func appRoleAssignments(_ key: ServicePrincipalKey) -> Answer {
        guard let found = find(key) else { return graph.notFound(Self.text(key)) }
        let isApp = found["appId"] == .string(graph.tenant.app.clientID)
        let removed = graph.sandbox.faults.removedRoles(
            tenant: graph.tenant.id, now: SandboxClock.monotonicNanoseconds())
        let roles = isApp ? graph.tenant.app.roles.filter { !removed.contains($0) } : []
        let assignments = roles.compactMap { AppRole.all[$0] }.map(assignment)
        return Documents(
            graph: graph, type: "appRoleAssignment", context: "appRoleAssignments",
            properties: [
                "id", "deletedDateTime", "appRoleId", "createdDateTime", "principalDisplayName",
                "principalId",
                "principalType", "resourceDisplayName", "resourceId",
            ], pageSize: 100
        ).list(assignments)
    }

    private func assignment(_ role: AppRole) -> JSONObject {
        let tenant = graph.tenant
        return [
            "id": .string(Draws(seed: 0, text: "grant|\(tenant.id)|\(role.name)").guid(0).description),
            "deletedDateTime": nil, "appRoleId": .string(role.id.description),
            "createdDateTime": "2026-01-15T10:00:00.1234567Z", "principalDisplayName": "TenantAtlas",
            "principalId": .string(Self.appPrincipalID(tenant).description),
            "principalType": "ServicePrincipal", "resourceDisplayName": "Microsoft Graph",
            "resourceId": .string(Self.graphPrincipalID(tenant).description),
        ]
    }

    private var documents: Documents {
        Documents(
            graph: graph, type: "servicePrincipal", context: "servicePrincipals",
            properties: Set(all[0].keys), pageSize: 100)
    }

    private func find(_ key: ServicePrincipalKey) -> JSONObject? {
        all.first { principal in
            switch key {
            case .id(let id): principal["id"] == .string(id.lowercased())
            case .appID(let appID): principal["appId"] == .string(appID.lowercased())
            }
        }
    }

    private static func text(_ key: ServicePrincipalKey) -> String {
        switch key {
        case .id(let id): id
        case .appID(let appID): appID
        }
    }

    /// The one filter that is supported: `appId eq '…'`.
    private static func appID(inFilter filter: String) -> String? {
        let words = filter.split(separator: " ")
        guard words.count == 3, words[0] == "appId", words[1] == "eq", words[2].count > 2,
            words[2].first == "'",
            words[2].last == "'"
        else { return nil }
        return String(words[2].dropFirst().dropLast())
    }

    private var all: [JSONObject] {
        let tenant = graph.tenant
        let roles = AppRole.all.values.sorted { $0.name < $1.name }.map { role -> JSON in
            [
                "allowedMemberTypes": ["Application"], "description": .string(role.name),
                "displayName": .string(role.name), "id": .string(role.id.description), "isEnabled": true,
                "origin": "Application", "value": .string(role.name),
            ]
        }
        return [
            principal(Self.appPrincipalID(tenant), tenant.app.clientID, "TenantAtlas", []),
            principal(Self.graphPrincipalID(tenant), AccessToken.graphAppID, "Microsoft Graph", roles),
        ]
    }

    private func principal(_ id: GUID, _ appID: String, _ name: String, _ roles: [JSON]) -> JSONObject {
        [
            "id": .string(id.description), "deletedDateTime": nil, "accountEnabled": true,
            "appId": .string(appID), "appDisplayName": .string(name), "displayName": .string(name),
            "servicePrincipalType": "Application", "signInAudience": "AzureADMultipleOrgs",
            "appRoles": .array(roles),
        ]
    }
}
