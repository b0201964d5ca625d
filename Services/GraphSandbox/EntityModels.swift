extension EntitySet {
    /// The types that the sandbox knows. Real types have more properties; these are the ones that the seed
    /// uses and some more, so that what is read here can be written here.
    var model: EntityModel {
        switch self {
        case .deviceConfigurations: EntityModels.deviceConfiguration
        case .deviceCompliancePolicies: EntityModels.compliancePolicy
        case .configurationPolicies: EntityModels.configurationPolicy
        case .deviceManagementScripts: EntityModels.script
        case .assignmentFilters: EntityModels.assignmentFilter
        case .roleScopeTags: EntityModels.roleScopeTag
        case .mobileApps: EntityModels.mobileApp
        case .iosManagedAppProtections: EntityModels.iosProtection
        case .androidManagedAppProtections: EntityModels.androidProtection
        case .conditionalAccessPolicies: EntityModels.conditionalAccessPolicy
        case .groups: EntityModels.group
        }
    }
}

/// Microsoft's types, as far as the sandbox knows them.
enum EntityModels {
    private static let dates: Set<String> = ["createdDateTime", "lastModifiedDateTime"]
    private static let intuneReadOnly: Set<String> = dates.union([
        "version", "assignments", "isAssigned", "supportsScopeTags", "deviceStatuses", "userStatuses",
        "deviceStatusOverview", "userStatusOverview", "deviceSettingStateSummaries",
    ])
    private static let intuneBetaOnly: Set<String> = [
        "roleScopeTagIds", "supportsScopeTags", "deviceManagementApplicabilityRuleOsEdition",
        "deviceManagementApplicabilityRuleOsVersion", "deviceManagementApplicabilityRuleDeviceMode",
    ]

    static let deviceConfiguration = EntityModel(
        name: "deviceConfiguration",
        writable: [
            "displayName": .text, "description": .text, "roleScopeTagIds": .texts,
            "deviceManagementApplicabilityRuleOsEdition": .object,
            "deviceManagementApplicabilityRuleOsVersion": .object,
            "deviceManagementApplicabilityRuleDeviceMode": .object,
        ],
        readOnly: intuneReadOnly, betaOnly: intuneBetaOnly,
        subtypes: [
            .init(name: "windows10CustomConfiguration", properties: ["omaSettings": .objects]),
            .init(
                name: "windows10GeneralConfiguration",
                properties: [
                    "passwordRequired": .flag, "passwordMinimumLength": .number,
                    "passwordBlockSimple": .flag, "cameraBlocked": .flag, "bluetoothBlocked": .flag,
                    "storageRequireMobileDeviceEncryption": .flag, "edgeSearchEngine": .object,
                    "startMenuLayoutXml": .binary, "privacyAdvertisingId": .word(stateWords),
                    "diagnosticsDataSubmissionMode": .word([
                        "userDefined", "none", "basic", "enhanced", "full",
                    ]),
                ]),
            .init(
                name: "windowsUpdateForBusinessConfiguration",
                properties: [
                    "qualityUpdatesDeferralPeriodInDays": .number,
                    "featureUpdatesDeferralPeriodInDays": .number,
                    "automaticUpdateMode": .word([
                        "userDefined", "notifyDownload", "autoInstallAtMaintenanceTime",
                        "autoInstallAndRebootAtMaintenanceTime", "autoInstallAndRebootAtScheduledTime",
                        "autoInstallAndRebootWithoutEndUserControl", "windowsDefault",
                    ]),
                    "microsoftUpdateServiceAllowed": .flag, "driversExcluded": .flag,
                    "qualityUpdatesPaused": .flag, "featureUpdatesPaused": .flag,
                    "installationSchedule": .object, "businessReadyUpdatesOnly": .text,
                ]),
            .init(
                name: "iosGeneralDeviceConfiguration",
                properties: [
                    "passcodeRequired": .flag, "passcodeMinimumLength": .number, "cameraBlocked": .flag,
                    "iCloudBlockBackup": .flag, "appsVisibilityList": .objects,
                    "appsVisibilityListType": .word(["none", "appsInListCompliant", "appsNotInListCompliant"]
                    ),
                ]),
            .init(
                name: "iosCustomConfiguration",
                properties: ["payloadName": .text, "payloadFileName": .text, "payload": .binary]),
            .init(
                name: "macOSCustomConfiguration",
                properties: ["payloadName": .text, "payloadFileName": .text, "payload": .binary]),
            .init(
                name: "androidWorkProfileGeneralDeviceConfiguration",
                properties: [
                    "passwordMinimumLength": .number, "workProfilePasswordRequiredType": .text,
                    "workProfileBlockScreenCapture": .flag,
                ]),
            .init(
                name: "windows10EndpointProtectionConfiguration",
                properties: [
                    "firewallEnabled": .word(stateWords), "smartScreenEnableInShell": .flag,
                    "bitLockerEncryptDevice": .flag, "bitLockerSystemDrivePolicy": .object,
                    "defenderAttackSurfaceReductionExcludedPaths": .texts,
                ]),
            .init(
                name: "windowsWifiConfiguration", isInV1: false,
                properties: [
                    "ssid": .text, "networkName": .text, "connectAutomatically": .flag,
                    "wifiSecurityType": .word(["open", "wpaPersonal", "wpaEnterprise", "wep"]),
                ]),
        ])

    private static let stateWords = ["notConfigured", "enabled", "disabled", "blocked", "allowed"]

    static let compliancePolicy = EntityModel(
        name: "deviceCompliancePolicy",
        writable: [
            "displayName": .text, "description": .text, "roleScopeTagIds": .texts,
            "scheduledActionsForRule": .objects,
        ],
        readOnly: intuneReadOnly, betaOnly: intuneBetaOnly,
        subtypes: [
            .init(
                name: "windows10CompliancePolicy",
                properties: [
                    "passwordRequired": .flag, "passwordMinimumLength": .number, "bitLockerEnabled": .flag,
                    "secureBootEnabled": .flag, "osMinimumVersion": .text, "osMaximumVersion": .text,
                    "codeIntegrityEnabled": .flag, "storageRequireEncryption": .flag,
                ]),
            .init(
                name: "iosCompliancePolicy",
                properties: [
                    "passcodeRequired": .flag, "passcodeMinimumLength": .number,
                    "securityBlockJailbrokenDevices": .flag, "osMinimumVersion": .text,
                ]),
            .init(
                name: "macOSCompliancePolicy",
                properties: [
                    "passwordRequired": .flag, "systemIntegrityProtectionEnabled": .flag,
                    "storageRequireEncryption": .flag, "osMinimumVersion": .text,
                ]),
            .init(
                name: "androidWorkProfileCompliancePolicy",
                properties: [
                    "passwordRequired": .flag, "passwordMinimumLength": .number,
                    "securityBlockJailbrokenDevices": .flag, "minAndroidSecurityPatchLevel": .text,
                ]),
            .init(
                name: "androidDeviceOwnerCompliancePolicy", isInV1: false,
                properties: ["passwordRequired": .flag, "storageRequireEncryption": .flag]),
        ])

    static let configurationPolicy = EntityModel(
        name: "deviceManagementConfigurationPolicy",
        writable: [
            "name": .text, "description": .text, "roleScopeTagIds": .texts, "templateReference": .object,
            "settings": .objects,
            "platforms": .words([
                "none", "android", "iOS", "macOS", "windows10X", "windows10", "linux", "androidEnterprise",
                "aosp", "visionOS", "tvOS", "unknownFutureValue",
            ]),
            "technologies": .words([
                "none", "mdm", "windows10XManagement", "configManager", "intuneManagementExtension",
                "thirdParty", "documentGateway", "appleRemoteManagement", "microsoftSense", "exchangeOnline",
                "mobileApplicationManagement", "linuxMdm", "enrollment", "endpointPrivilegeManagement",
                "unknownFutureValue",
            ]),
        ],
        readOnly: dates.union([
            "settingCount", "creationSource", "isAssigned", "priorityMetaData", "assignments",
            "settingDefinitions",
        ]), title: "name")

    static let script = EntityModel(
        name: "deviceManagementScript",
        writable: [
            "displayName": .text, "description": .text, "scriptContent": .binary, "fileName": .text,
            "runAsAccount": .word(["system", "user"]), "enforceSignatureCheck": .flag, "runAs32Bit": .flag,
            "roleScopeTagIds": .texts,
        ],
        readOnly: dates.union([
            "runSummary", "deviceRunStates", "userRunStates", "groupAssignments", "assignments",
        ]))

    static let assignmentFilter = EntityModel(
        name: "deviceAndAppManagementAssignmentFilter",
        writable: [
            "displayName": .text, "description": .text, "rule": .text, "roleScopeTags": .texts,
            "assignmentFilterManagementType": .word(["devices", "apps", "unknownFutureValue"]),
            "platform": .word([
                "android", "androidForWork", "iOS", "macOS", "windowsPhone81", "windows81AndLater",
                "windows10AndLater", "androidWorkProfile", "unknown", "androidAOSP",
                "androidMobileApplicationManagement", "iOSMobileApplicationManagement",
                "windowsMobileApplicationManagement",
            ]),
        ],
        readOnly: dates.union(["payloads"]))

    static let roleScopeTag = EntityModel(
        name: "roleScopeTag", writable: ["displayName": .text, "description": .text],
        readOnly: ["isBuiltIn", "assignments"])

    static let mobileApp = EntityModel(
        name: "mobileApp",
        writable: [
            "displayName": .text, "description": .text, "publisher": .text, "largeIcon": .object,
            "isFeatured": .flag, "privacyInformationUrl": .text, "informationUrl": .text, "owner": .text,
            "developer": .text, "notes": .text, "roleScopeTagIds": .texts,
        ],
        readOnly: dates.union([
            "publishingState", "isAssigned", "uploadState", "dependentAppCount", "supersedingAppCount",
            "supersededAppCount",
        ]),
        betaOnly: [
            "roleScopeTagIds", "isAssigned", "uploadState", "dependentAppCount", "supersedingAppCount",
            "supersededAppCount",
        ],
        subtypes: [
            .init(name: "winGetApp", isInV1: false, properties: ["packageIdentifier": .text]),
            .init(name: "webApp", properties: ["appUrl": .text, "useManagedBrowser": .flag]),
            .init(
                name: "win32LobApp",
                properties: ["fileName": .text, "installCommandLine": .text, "size": .number]),
            .init(name: "iosStoreApp", properties: ["bundleId": .text, "appStoreUrl": .text]),
        ])

    private static let protectionWritable: [String: PropertyKind] = [
        "displayName": .text, "description": .text, "roleScopeTagIds": .texts,
        "periodOfflineBeforeAccessCheck": .text, "periodOnlineBeforeAccessCheck": .text,
        "periodOfflineBeforeWipeIsEnforced": .text, "pinRequired": .flag, "minimumPinLength": .number,
        "maximumPinRetries": .number, "dataBackupBlocked": .flag, "contactSyncBlocked": .flag,
        "allowedInboundDataTransferSources": .word(["allApps", "managedApps", "none"]),
        "allowedOutboundDataTransferDestinations": .word(["allApps", "managedApps", "none"]),
        "appGroupType": .word([
            "selectedPublicApps", "allCoreMicrosoftApps", "allMicrosoftApps", "allApps",
        ]),
    ]
    private static let protectionReadOnly = dates.union([
        "version", "isAssigned", "deployedAppCount", "apps", "assignments", "deploymentSummary",
    ])

    static let iosProtection = EntityModel(
        name: "iosManagedAppProtection",
        writable: protectionWritable.merging(["faceIdBlocked": .flag]) { $1 },
        readOnly: protectionReadOnly, betaOnly: ["roleScopeTagIds", "appGroupType"])

    static let androidProtection = EntityModel(
        name: "androidManagedAppProtection",
        writable: protectionWritable.merging(["screenCaptureBlocked": .flag, "encryptAppData": .flag]) { $1 },
        readOnly: protectionReadOnly, betaOnly: ["roleScopeTagIds", "appGroupType"])

    static let conditionalAccessPolicy = EntityModel(
        name: "conditionalAccessPolicy",
        writable: [
            "displayName": .text, "conditions": .object, "grantControls": .object,
            "sessionControls": .object,
            "state": .word(["enabled", "disabled", "enabledForReportingButNotEnforced"]),
        ],
        readOnly: ["createdDateTime", "modifiedDateTime", "deletedDateTime", "templateId"])

    static let group = EntityModel(
        name: "group", writable: ["displayName": .text, "description": .text],
        readOnly: [
            "createdDateTime", "deletedDateTime", "groupTypes", "mailEnabled", "mailNickname",
            "membershipRule", "securityEnabled",
        ])
}
