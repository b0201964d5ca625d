import JSON

/// `/organization` and the `/deviceManagement` singleton: who the tenant is, and whether it has Intune.
struct Organization: Sendable {
    let graph: GraphCall

    func list() -> Answer { documents.list([document]) }

    func get(_ id: String) -> Answer {
        id.lowercased() == graph.tenant.id ? documents.entity(document) : graph.notFound(id)
    }

    private var documents: Documents {
        Documents(
            graph: graph, type: "organization", context: "organization", properties: Set(document.keys),
            pageSize: 100)
    }

    private var document: JSONObject {
        let tenant = graph.tenant
        let initial = "\(tenant.domain.prefix { $0 != "." }).onmicrosoft.com"
        var domains: [JSON] = [domain(tenant.domain, isDefault: true, isInitial: tenant.domain == initial)]
        if tenant.domain != initial { domains.append(domain(initial, isDefault: false, isInitial: true)) }
        let plan: JSON = [
            "assignedDateTime": "2024-02-01T09:00:00Z", "capabilityStatus": "Enabled", "service": "SCO",
            "servicePlanId": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
        ]
        return [
            "id": .string(tenant.id), "displayName": .string(tenant.displayName),
            "tenantType": "AAD", "countryLetterCode": "DE", "city": "Bonn", "street": nil, "postalCode": nil,
            "preferredLanguage": "de", "createdDateTime": "2024-02-01T08:30:00Z", "deletedDateTime": nil,
            "mobileDeviceManagementAuthority": tenant.intune ? "intune" : "unknown",
            "onPremisesSyncEnabled": nil, "technicalNotificationMails": [], "businessPhones": [],
            "verifiedDomains": .array(domains), "assignedPlans": tenant.intune ? [plan] : [],
        ]
    }

    private func domain(_ name: String, isDefault: Bool, isInitial: Bool) -> JSON {
        [
            "capabilities": "Email, OfficeCommunicationsOnline", "isDefault": .bool(isDefault),
            "isInitial": .bool(isInitial), "name": .string(name), "type": "Managed",
        ]
    }

    /// `/deviceManagement`.
    func deviceManagement() -> Answer {
        let account = Draws(seed: graph.sandbox.tenants.seed, text: graph.tenant.id).guid(7)
        let document: JSONObject = [
            "id": .string(graph.tenant.id), "intuneAccountId": .string(account.description),
            "subscriptionState": "active",
            "settings": [
                "deviceComplianceCheckinThresholdDays": 30, "isScheduledActionEnabled": true,
                "secureByDefault": false,
            ],
            "intuneBrand": ["displayName": .string(graph.tenant.displayName), "contactITEmailAddress": nil],
        ]
        return Documents(
            graph: graph, type: "deviceManagement", context: "deviceManagement",
            properties: Set(document.keys), pageSize: 1
        ).entity(document)
    }
}
