package import Operations

/// Where a kind of policy is read, and what of it counts: everything in which the kinds differ.
package struct PolicySurface: Sendable {
    /// A collection below a policy that is read page by page.
    package enum Part: String, Sendable {
        case settings, assignments
    }

    package let kind: PolicyKind
    /// The collection. Only beta has scope tags, filters and all subtypes.
    package let path: GraphPath
    /// The member that holds the name for people.
    package let name: String
    /// How many are asked for at once: as many as may be in memory with all their content.
    package let pageSize: Int
    /// What lists and items are asked to bring with them.
    package let expand: String?
    /// Whether lists leave out content, so that each is read by its id.
    package let isReadByID: Bool
    /// What is read below each.
    package let parts: [Part]
    /// Members that move without anybody changing the policy, beside ``alwaysVolatile``.
    package let volatile: Set<String>

    /// Members of every kind that say nothing about what a policy does: who it is, when it was touched, what the
    /// service counts.
    package static let alwaysVolatile: Set<String> = [
        "id", "createdDateTime", "lastModifiedDateTime", "modifiedDateTime", "version", "isAssigned",
        "supportsScopeTags",
    ]

    /// The surface of a kind.
    package static func of(_ kind: PolicyKind) -> PolicySurface {
        switch kind {
        case .deviceConfiguration:
            PolicySurface(kind, "/beta/deviceManagement/deviceConfigurations", expand: "assignments")
        case .compliancePolicy:
            // The actions come by this way only.
            PolicySurface(
                kind, "/beta/deviceManagement/deviceCompliancePolicies",
                expand: "assignments,scheduledActionsForRule($expand=scheduledActionConfigurations)")
        case .settingsCatalogPolicy:
            PolicySurface(
                kind, "/beta/deviceManagement/configurationPolicies", name: "name", pageSize: 25,
                expand: "assignments", parts: [.settings], volatile: ["settingCount"])
        case .deviceScript:
            PolicySurface(
                kind, "/beta/deviceManagement/deviceManagementScripts", pageSize: 25, expand: "assignments",
                isReadByID: true,
                volatile: ["runSummary", "deviceRunStates", "userRunStates", "groupAssignments"])
        case .assignmentFilter:
            PolicySurface(kind, "/beta/deviceManagement/assignmentFilters", volatile: ["payloads"])
        case .scopeTag:
            PolicySurface(kind, "/beta/deviceManagement/roleScopeTags", parts: [.assignments])
        case .mobileApp:
            // The icon is not in lists.
            PolicySurface(
                kind, "/beta/deviceAppManagement/mobileApps", pageSize: 25, expand: "assignments",
                isReadByID: true,
                volatile: [
                    "uploadState", "publishingState", "dependentAppCount", "supersedingAppCount",
                    "supersededAppCount", "committedContentVersion", "size", "usedLicenseCount",
                    "totalLicenseCount",
                ])
        case .iosAppProtection:
            PolicySurface(
                kind, "/beta/deviceAppManagement/iosManagedAppProtections", expand: "assignments,apps",
                volatile: ["deployedAppCount"])
        case .androidAppProtection:
            PolicySurface(
                kind, "/beta/deviceAppManagement/androidManagedAppProtections", expand: "assignments,apps",
                volatile: ["deployedAppCount"])
        case .conditionalAccessPolicy:
            PolicySurface(
                kind, "/beta/identity/conditionalAccess/policies", volatile: ["deletedDateTime"])
        }
    }

    private init(
        _ kind: PolicyKind, _ path: GraphPath, name: String = "displayName", pageSize: Int = 100,
        expand: String? = nil, isReadByID: Bool = false, parts: [Part] = [], volatile: Set<String> = []
    ) {
        self.kind = kind
        self.path = path
        self.name = name
        self.pageSize = pageSize
        self.expand = expand
        self.isReadByID = isReadByID
        self.parts = parts
        self.volatile = volatile
    }
}
