import JSON

/// The policies, scripts and apps of a tenant: a few of each kind, so that probes and first lists find
/// something.
struct Policies: Sendable {
    let graph: GraphCall
    let set: PolicySet

    func list() -> Answer { documents.list(seeded.map(listed)) }

    func get(_ id: String) -> Answer {
        guard let found = seeded.first(where: { $0["id"] == .string(id.lowercased()) }) else {
            return graph.notFound(id)
        }
        return documents.entity(found)
    }

    private var documents: Documents {
        Documents(
            graph: graph, type: typeName, context: "\(set.parent)/\(set.rawValue)",
            properties: Set(seeded.flatMap(\.keys).filter { !$0.hasPrefix("@") }),
            pageSize: set == .configurationPolicies ? 25 : QueryOptions.largestPage)
    }

    private var typeName: String {
        switch set {
        case .deviceConfigurations: "deviceConfiguration"
        case .deviceCompliancePolicies: "deviceCompliancePolicy"
        case .configurationPolicies: "deviceManagementConfigurationPolicy"
        case .deviceManagementScripts: "deviceManagementScript"
        case .mobileApps: "mobileApp"
        }
    }

    /// Lists leave out what is only read one by one.
    private func listed(_ document: JSONObject) -> JSONObject {
        var document = document
        if set == .deviceManagementScripts { document["scriptContent"] = .null }
        return document
    }

    private var seeded: [JSONObject] {
        let draws = Draws(
            seed: graph.sandbox.tenants.seed, text: "\(graph.tenant.deviceSeed)|\(set.rawValue)")
        return templates.enumerated().map { index, template in
            let part = draws.part(UInt64(index))
            var document = JSONObject()
            if let type = template["@odata.type"] { document["@odata.type"] = type }
            document["id"] = .string(part.guid(0).description)
            document["createdDateTime"] = .string(Self.date(part, 1))
            document["lastModifiedDateTime"] = .string(Self.date(part, 2))
            if graph.version == .beta {
                document["roleScopeTagIds"] = ["0"]
            }
            for (key, value) in template.members { document[key] = value }
            return document
        }
    }

    /// Policies' dates have all seven digits.
    private static func date(_ draws: Draws, _ stream: UInt64) -> String {
        GraphDate(
            seconds: 1_795_000_000 - Int64(draws.number(stream, below: 20_000_000)),
            ticks: UInt32(draws.number(stream + 10, below: 10_000_000)), digits: 7
        ).text
    }

    private var templates: [JSONObject] {
        switch set {
        case .deviceConfigurations: Self.deviceConfigurations
        case .deviceCompliancePolicies: Self.compliancePolicies
        case .configurationPolicies: Self.configurationPolicies
        case .deviceManagementScripts: Self.scripts
        case .mobileApps: Self.apps
        }
    }

    private static let deviceConfigurations: [JSONObject] = [
        [
            "@odata.type": "#microsoft.graph.windows10GeneralConfiguration",
            "displayName": "Windows – Baseline",
            "description": "", "version": 3, "passwordRequired": true, "passwordMinimumLength": 12,
        ],
        [
            "@odata.type": "#microsoft.graph.windowsUpdateForBusinessConfiguration",
            "displayName": "Update ring – pilot", "description": "IT first", "version": 7,
            "qualityUpdatesDeferralPeriodInDays": 0, "featureUpdatesDeferralPeriodInDays": 0,
        ],
        [
            "@odata.type": "#microsoft.graph.iosGeneralDeviceConfiguration", "displayName": "iOS 🔒",
            "description": nil, "version": 1, "passcodeRequired": true,
        ],
    ]

    private static let compliancePolicies: [JSONObject] = [
        [
            "@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "Windows compliance",
            "description": "", "version": 2, "passwordRequired": true, "bitLockerEnabled": true,
        ],
        [
            "@odata.type": "#microsoft.graph.iosCompliancePolicy", "displayName": "iOS compliance",
            "description": nil, "version": 1, "securityBlockJailbrokenDevices": true,
        ],
    ]

    private static let configurationPolicies: [JSONObject] = [
        [
            "name": "Defender antivirus", "description": "", "platforms": "windows10",
            "technologies": "mdm,microsoftSense", "settingCount": 12, "creationSource": nil,
            "isAssigned": true,
            "templateReference": [
                "templateId": "804339ad-1553-4478-a742-138fb5807418_1",
                "templateFamily": "endpointSecurityAntivirus",
                "templateDisplayName": "Microsoft Defender Antivirus", "templateDisplayVersion": "Version 1",
            ],
        ],
        [
            "name": "Edge settings", "description": nil, "platforms": "windows10", "technologies": "mdm",
            "settingCount": 4, "creationSource": nil, "isAssigned": false,
            "templateReference": [
                "templateId": "", "templateFamily": "none", "templateDisplayName": nil,
                "templateDisplayVersion": nil,
            ],
        ],
    ]

    private static let scripts: [JSONObject] = [
        [
            "displayName": "Set time zone", "description": "", "scriptContent": "V3JpdGUtSG9zdCAnaGVsbG8n",
            "fileName": "timezone.ps1", "runAsAccount": "system", "enforceSignatureCheck": false,
            "runAs32Bit": false,
        ]
    ]

    private static let apps: [JSONObject] = [
        [
            "@odata.type": "#microsoft.graph.winGetApp", "displayName": "Company Portal",
            "description": "Company Portal", "publisher": "Microsoft Corporation", "largeIcon": nil,
            "isFeatured": false, "publishingState": "published", "notes": "",
        ],
        [
            "@odata.type": "#microsoft.graph.webApp", "displayName": "Intranet", "description": "",
            "publisher": "IT", "largeIcon": nil, "isFeatured": true, "publishingState": "published",
            "notes": "",
        ],
    ]
}
