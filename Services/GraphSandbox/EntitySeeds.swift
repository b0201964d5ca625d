import JSON

/// The seeded documents: realistic ones in turn, with odd ones among them (equal names, empty and absent
/// descriptions, other scripts and long names).
struct EntitySeeds: Sendable {
    let set: EntitySet
    let ordinal: Int
    let draws: Draws
    let generator: EntityGenerator

    /// Settings of the one large policy of the settings catalogue.
    static let largePolicySettings = 300

    var entity: Entity {
        var secrets = PolicySecrets(draws: draws, known: { _ in nil })
        var document = JSONObject()
        var own = properties
        let settings = own["settings"]?.array
        own["settings"] = nil
        // What the seed itself holds always fits.
        if let oma = own["omaSettings"] { own["omaSettings"] = try? secrets.masked(omaSettings: oma) }
        if let type = own["@odata.type"] { document["@odata.type"] = type }
        let id = generator.id(set, ordinal)
        document["id"] = .string(id)
        for (name, value) in serviceProperties.members { document[name] = value }
        for (name, value) in own.members { document[name] = value }
        var entity = Entity(ordinal: ordinal, id: id, document: document)
        entity.settings = (settings ?? []).enumerated().compactMap { index, setting in
            guard var sealed = (try? secrets.sealed(setting))?.object else { return nil }
            sealed["id"] = .string(String(index))
            return sealed
        }
        entity.secrets = secrets.plain
        if set == .deviceCompliancePolicies { entity.scheduledActions = scheduledActions }
        if set.isAppProtection { entity.apps = apps }
        return entity
    }

    // MARK: What the service writes

    private var serviceProperties: JSONObject {
        switch set {
        case .deviceConfigurations, .deviceCompliancePolicies:
            [
                "createdDateTime": date(1), "lastModifiedDateTime": date(2),
                "version": .int(1 + draws.number(3, below: 9)), "roleScopeTagIds": tags,
                "supportsScopeTags": true,
            ]
        case .configurationPolicies:
            [
                "createdDateTime": date(1), "lastModifiedDateTime": date(2), "roleScopeTagIds": tags,
                "settingCount": 0, "creationSource": nil, "isAssigned": false, "priorityMetaData": nil,
            ]
        case .deviceManagementScripts, .mobileApps:
            ["createdDateTime": date(1), "lastModifiedDateTime": date(2), "roleScopeTagIds": tags]
        case .iosManagedAppProtections, .androidManagedAppProtections:
            [
                "createdDateTime": date(1), "lastModifiedDateTime": date(2), "roleScopeTagIds": tags,
                "version": .string("\"\(draws.guid(4))\""), "isAssigned": false, "deployedAppCount": 0,
            ]
        case .assignmentFilters:
            ["createdDateTime": date(1), "lastModifiedDateTime": date(2), "payloads": []]
        case .roleScopeTags: ["isBuiltIn": .bool(ordinal == 0)]
        case .conditionalAccessPolicies:
            ["templateId": nil, "createdDateTime": date(1), "modifiedDateTime": date(2)]
        case .groups: ["createdDateTime": date(1), "deletedDateTime": nil]
        }
    }

    private var tags: JSON {
        ordinal % 5 == 4 && generator.seeded(.roleScopeTags) > 1 ? ["0", "1"] : ["0"]
    }

    /// Policies' dates have all seven digits.
    private func date(_ stream: UInt64) -> JSON {
        .string(
            GraphDate(
                seconds: 1_795_000_000 - Int64(draws.number(stream, below: 20_000_000)),
                ticks: UInt32(draws.number(stream + 10, below: 10_000_000)), digits: 7
            ).text)
    }

    // MARK: What clients write

    /// The name: the first are hand-written, and two of them are equal; the others are numbered.
    private func name(_ names: [String]) -> JSON {
        .string(ordinal < names.count ? names[ordinal] : "\(names[0]) \(ordinal)")
    }

    private var description: JSON {
        switch ordinal % 4 {
        case 0: ""
        case 1: .null
        case 2: "Maintained by the endpoint team"
        default: "Für alle Standorte – 日本語, עברית, 🛡️"
        }
    }

    private var properties: JSONObject {
        switch set {
        case .deviceConfigurations: deviceConfiguration
        case .deviceCompliancePolicies: compliancePolicy
        case .configurationPolicies: configurationPolicy
        case .deviceManagementScripts: script
        case .assignmentFilters: filter
        case .roleScopeTags:
            [
                "displayName": ordinal == 0 ? "Default" : name(["Default", "Branch office", "Zürich"]),
                "description": ordinal == 0 ? "" : description,
            ]
        case .mobileApps: app
        case .iosManagedAppProtections:
            protection(["iOS data protection", "iOS BYOD"]).with("faceIdBlocked", false)
        case .androidManagedAppProtections:
            protection(["Android data protection", "Android BYOD"]).with("screenCaptureBlocked", true)
                .with("encryptAppData", true)
        case .conditionalAccessPolicies: conditionalAccessPolicy
        case .groups: group
        }
    }

    private static let configurationNames = [
        "Windows – Baseline", "Update ring – pilot", "iOS 🔒", "Custom OMA-URI", "Windows – Baseline",
        "macOS profile", "Work profile", "Firewall", "Wi-Fi office", "الحماية الأساسية",
        String(repeating: "long name ", count: 25) + "end.",
    ]

    private var deviceConfiguration: JSONObject {
        var document: JSONObject = [
            "displayName": name(Self.configurationNames), "description": description,
        ]
        let minimum = JSON.int(6 + draws.number(20, below: 10))
        let own: JSONObject =
            switch ordinal % 9 {
            case 1:
                [
                    "@odata.type": "#microsoft.graph.windowsUpdateForBusinessConfiguration",
                    "qualityUpdatesDeferralPeriodInDays": .int(draws.number(21, below: 15)),
                    "featureUpdatesDeferralPeriodInDays": .int(draws.number(22, below: 60)),
                    "automaticUpdateMode": "autoInstallAtMaintenanceTime",
                    "microsoftUpdateServiceAllowed": true, "driversExcluded": false,
                ]
            case 2:
                [
                    "@odata.type": "#microsoft.graph.iosGeneralDeviceConfiguration", "passcodeRequired": true,
                    "passcodeMinimumLength": minimum, "cameraBlocked": false, "iCloudBlockBackup": true,
                    "appsVisibilityListType": "none", "appsVisibilityList": [],
                ]
            case 3: customConfiguration
            case 5:
                [
                    "@odata.type": "#microsoft.graph.macOSCustomConfiguration", "payloadName": "Profile",
                    "payloadFileName": "profile.mobileconfig",
                    "payload": .string("PD94bWwgdmVyc2lvbj0iMS4wIj8+PHBsaXN0Lz4="),
                ]
            case 6:
                [
                    "@odata.type": "#microsoft.graph.androidWorkProfileGeneralDeviceConfiguration",
                    "passwordMinimumLength": minimum,
                    "workProfilePasswordRequiredType": "atLeastNumeric",
                    "workProfileBlockScreenCapture": true,
                ]
            case 7:
                [
                    "@odata.type": "#microsoft.graph.windows10EndpointProtectionConfiguration",
                    "firewallEnabled": "enabled", "smartScreenEnableInShell": true,
                    "bitLockerEncryptDevice": true,
                    "bitLockerSystemDrivePolicy": ["startupAuthenticationRequired": true],
                    "defenderAttackSurfaceReductionExcludedPaths": ["C:\\Tools", "D:\\Bau"],
                ]
            case 8:
                [
                    "@odata.type": "#microsoft.graph.windowsWifiConfiguration", "ssid": "office",
                    "networkName": "office", "connectAutomatically": true,
                    "wifiSecurityType": "wpaEnterprise",
                ]
            default:
                [
                    "@odata.type": "#microsoft.graph.windows10GeneralConfiguration", "passwordRequired": true,
                    "passwordMinimumLength": minimum, "passwordBlockSimple": true, "cameraBlocked": false,
                    "storageRequireMobileDeviceEncryption": true, "edgeSearchEngine": .null,
                    "diagnosticsDataSubmissionMode": "basic", "privacyAdvertisingId": "blocked",
                ]
            }
        for (name, value) in own.members { document[name] = value }
        return document
    }

    private var customConfiguration: JSONObject {
        [
            "@odata.type": "#microsoft.graph.windows10CustomConfiguration",
            "omaSettings": [
                [
                    "@odata.type": "#microsoft.graph.omaSettingString", "displayName": "Wi-Fi key",
                    "description": "", "omaUri": "./Vendor/MSFT/WiFi/Profile/office/Key",
                    "value": .string("plain-\(draws.guid(30))"),
                ],
                [
                    "@odata.type": "#microsoft.graph.omaSettingInteger", "displayName": "Idle minutes",
                    "description": nil, "omaUri": "./Device/Vendor/MSFT/Policy/Config/DeviceLock/Max",
                    "value": .int(draws.number(31, below: 60)),
                ],
                [
                    "@odata.type": "#microsoft.graph.omaSettingStringXml", "displayName": "Start layout",
                    "description": "äöü", "omaUri": "./User/Vendor/MSFT/Policy/Config/Start/Layout",
                    "fileName": "layout.xml", "value": "PExheW91dC8+",
                ],
            ],
        ]
    }

    private var compliancePolicy: JSONObject {
        var document: JSONObject = [
            "displayName": name(["Windows compliance", "iOS compliance", "macOS", "Android 🤖", "macOS"]),
            "description": description,
        ]
        let own: JSONObject =
            switch ordinal % 5 {
            case 1:
                [
                    "@odata.type": "#microsoft.graph.iosCompliancePolicy", "passcodeRequired": true,
                    "securityBlockJailbrokenDevices": true, "osMinimumVersion": "17.0",
                ]
            case 2:
                [
                    "@odata.type": "#microsoft.graph.macOSCompliancePolicy", "passwordRequired": true,
                    "systemIntegrityProtectionEnabled": true, "storageRequireEncryption": true,
                ]
            case 3:
                [
                    "@odata.type": "#microsoft.graph.androidWorkProfileCompliancePolicy",
                    "passwordRequired": true, "securityBlockJailbrokenDevices": true,
                    "minAndroidSecurityPatchLevel": "2026-01-01",
                ]
            default:
                [
                    "@odata.type": "#microsoft.graph.windows10CompliancePolicy", "passwordRequired": true,
                    "passwordMinimumLength": 8, "bitLockerEnabled": true, "secureBootEnabled": true,
                    "osMinimumVersion": "10.0.19045.0", "osMaximumVersion": nil,
                ]
            }
        for (name, value) in own.members { document[name] = value }
        return document
    }

    private var scheduledActions: [JSONObject] {
        var actions: [JSON] = [["actionType": "block", "gracePeriodHours": .int(24 * (ordinal % 4))]]
        if ordinal % 2 == 1 {
            actions.append([
                "actionType": "notification", "gracePeriodHours": 12,
                "notificationTemplateId": .string(draws.guid(40).description),
                "notificationMessageCCList": ["it@example.com"],
            ])
        }
        let rule: JSON = [
            "ruleName": ordinal % 2 == 0 ? "PasswordRequired" : .null,
            "scheduledActionConfigurations": .array(actions),
        ]
        return (try? ScheduledActions.stored([rule], draws: draws.part(41))) ?? []
    }

    private var configurationPolicy: JSONObject {
        let isTemplate = ordinal % 3 == 0
        let count = ordinal == 1 ? Self.largePolicySettings : 2 + draws.number(50, below: 40)
        let names = ["Defender antivirus", "Edge baseline", "LAPS", "Édition spéciale", "LAPS"]
        return [
            "name": name(names), "description": description,
            "platforms": ordinal % 7 == 5 ? "macOS" : "windows10",
            "technologies": isTemplate ? "mdm,microsoftSense" : "mdm",
            "templateReference": [
                "templateId": isTemplate ? "804339ad-1553-4478-a742-138fb5807418_1" : "",
                "templateFamily": isTemplate ? "endpointSecurityAntivirus" : "none",
                "templateDisplayName": isTemplate ? "Microsoft Defender Antivirus" : nil,
                "templateDisplayVersion": isTemplate ? "Version 1" : nil,
            ],
            "settings": .array((0..<count).map(setting)),
        ]
    }

    /// Every seventh setting is a choice with a child, and every third policy begins with a secret.
    private func setting(_ index: Int) -> JSON {
        let prefix = "#microsoft.graph.deviceManagementConfiguration"
        var instance: JSONObject = [
            "settingDefinitionId": .string("device_vendor_msft_policy_config_area\(ordinal)_setting\(index)"),
            "settingInstanceTemplateReference": nil,
        ]
        if index == 0, ordinal % 3 == 2 {
            instance["@odata.type"] = .string("\(prefix)SimpleSettingInstance")
            instance["simpleSettingValue"] = [
                "@odata.type": .string("\(prefix)SecretSettingValue"), "valueState": "notEncrypted",
                "value": .string("secret-\(draws.guid(60))"),
            ]
        } else if index % 7 == 3 {
            instance["@odata.type"] = .string("\(prefix)ChoiceSettingInstance")
            instance["choiceSettingValue"] = [
                "value": .string("area\(ordinal)_setting\(index)_1"),
                "children": [
                    [
                        "@odata.type": .string("\(prefix)SimpleSettingInstance"),
                        "settingDefinitionId": .string("area\(ordinal)_setting\(index)_child"),
                        "simpleSettingValue": [
                            "@odata.type": .string("\(prefix)StringSettingValue"), "value": "ümläut",
                        ],
                    ]
                ],
            ]
        } else {
            instance["@odata.type"] = .string("\(prefix)SimpleSettingInstance")
            instance["simpleSettingValue"] = [
                "@odata.type": .string("\(prefix)IntegerSettingValue"),
                "value": .int(draws.number(UInt64(1_000 + index), below: 100)),
            ]
        }
        return ["settingInstance": .object(instance)]
    }

    private var script: JSONObject {
        [
            "displayName": name(["Set time zone", "Map drives", "Set time zone", "Aufräumen 🧹"]),
            "description": description,
            "scriptContent": .string("V3JpdGUtSG9zdCAn" + ["aGFsbG8n", "aGVsbG8n", "bW9pbiEn"][ordinal % 3]),
            "fileName": .string("script\(ordinal).ps1"), "runAsAccount": ordinal % 2 == 0 ? "system" : "user",
            "enforceSignatureCheck": false, "runAs32Bit": .bool(ordinal % 3 == 1),
        ]
    }

    static let filters: [(name: String, platform: String, rule: String)] = [
        ("Windows laptops", "windows10AndLater", "(device.model -startsWith \"Latitude\")"),
        ("Firmeneigene iPads", "iOS", "(device.deviceOwnership -eq \"Corporate\")"),
        ("Android Kiosk", "androidForWork", "(device.manufacturer -eq \"Zebra\")"),
        ("Mac 13 and newer", "macOS", "(device.osVersion -startsWith \"13\")"),
    ]

    private var filter: JSONObject {
        let (_, platform, rule) = Self.filters[ordinal % Self.filters.count]
        return [
            "displayName": name(Self.filters.map(\.name)), "description": description,
            "platform": .string(platform), "rule": .string(rule), "roleScopeTags": ["0"],
            "assignmentFilterManagementType": "devices",
        ]
    }

    private var app: JSONObject {
        var document: JSONObject = [
            "displayName": name(["Company Portal", "Intranet", "7-Zip", "Outlook"]),
            "description": description, "publisher": "Microsoft Corporation",
            "largeIcon": ["type": "image/png", "value": "iVBORw0KGgo="], "isFeatured": false, "notes": "",
            "owner": "", "developer": "", "privacyInformationUrl": nil, "informationUrl": nil,
            "publishingState": "published", "isAssigned": false, "uploadState": 1, "dependentAppCount": 0,
        ]
        let own: JSONObject =
            switch ordinal % 4 {
            case 1:
                [
                    "@odata.type": "#microsoft.graph.webApp", "appUrl": "https://intranet.example",
                    "useManagedBrowser": false,
                ]
            case 2:
                [
                    "@odata.type": "#microsoft.graph.win32LobApp", "fileName": "7zip.intunewin",
                    "installCommandLine": "7zip.exe /S", "size": 1_600_000,
                ]
            case 3:
                [
                    "@odata.type": "#microsoft.graph.iosStoreApp", "bundleId": "com.microsoft.Office.Outlook",
                    "appStoreUrl": "https://apps.apple.com/app/id951937596",
                ]
            default: ["@odata.type": "#microsoft.graph.winGetApp", "packageIdentifier": "9WZDNCRFJ3PZ"]
            }
        for (name, value) in own.members { document[name] = value }
        return document
    }

    private func protection(_ names: [String]) -> JSONObject {
        [
            "displayName": name(names), "description": description,
            "periodOfflineBeforeAccessCheck": "PT12H", "periodOnlineBeforeAccessCheck": "PT30M",
            "periodOfflineBeforeWipeIsEnforced": "P90D", "pinRequired": true, "minimumPinLength": 6,
            "maximumPinRetries": 5, "dataBackupBlocked": true, "contactSyncBlocked": false,
            "allowedInboundDataTransferSources": "allApps",
            "allowedOutboundDataTransferDestinations": "managedApps", "appGroupType": "selectedPublicApps",
        ]
    }

    private var apps: [JSONObject] {
        let isIOS = set == .iosManagedAppProtections
        let names =
            isIOS
            ? ["com.microsoft.skype.teams", "com.microsoft.Office.Outlook"] : ["com.microsoft.teams"]
        return names.map { name in
            [
                "id": .string("\(name.lowercased()).\(isIOS ? "ios" : "android")"), "version": "1",
                "mobileAppIdentifier": [
                    "@odata.type": isIOS
                        ? "#microsoft.graph.iosMobileAppIdentifier"
                        : "#microsoft.graph.androidMobileAppIdentifier",
                    (isIOS ? "bundleId" : "packageId"): .string(name),
                ],
            ]
        }
    }

    private var conditionalAccessPolicy: JSONObject {
        let group = generator.seeded(.groups) > ordinal ? [JSON.string(generator.id(.groups, ordinal))] : []
        let states: [JSON] = ["enabled", "enabledForReportingButNotEnforced", "disabled"]
        return [
            "displayName": name(["Require MFA", "Block legacy auth", "Require compliant device", "日本 – MFA"]),
            "state": states[ordinal % 3],
            "conditions": [
                "clientAppTypes": ordinal % 2 == 0 ? ["all"] : ["exchangeActiveSync", "other"],
                "signInRiskLevels": [], "userRiskLevels": [], "platforms": nil, "locations": nil,
                "applications": [
                    "includeApplications": ["All"], "excludeApplications": [], "includeUserActions": [],
                ],
                "users": [
                    "includeUsers": ordinal % 2 == 0 ? ["All"] : [], "excludeUsers": [],
                    "includeGroups": ordinal % 2 == 0 ? [] : .array(group),
                    "excludeGroups": ordinal % 2 == 0 ? .array(group) : [], "includeRoles": [],
                    "excludeRoles": [],
                ],
            ],
            "grantControls": [
                "operator": "OR", "builtInControls": [ordinal == 1 ? "block" : "mfa"],
                "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": nil,
            ],
            "sessionControls": nil,
        ]
    }

    private var group: JSONObject {
        let isDynamic = ordinal % 4 == 3
        return [
            "displayName": name([
                "All employees", "Pilot", "O'Brien's team", "Windows-Geräte", "Pilot", "営業部", "VIP",
                "Break-glass accounts",
            ]),
            "description": description, "groupTypes": isDynamic ? ["DynamicMembership"] : [],
            "mailEnabled": false, "mailNickname": .string("group\(ordinal)"), "securityEnabled": true,
            "membershipRule": isDynamic ? "(device.deviceOSType -eq \"Windows\")" : .null,
        ]
    }
}

extension JSONObject {
    fileprivate func with(_ name: String, _ value: JSON) -> JSONObject {
        var object = self
        object[name] = value
        return object
    }
}
