/// The two versions of Graph. What exists in one need not exist in the other.
enum GraphVersion: String, Sendable {
    case v1 = "v1.0"
    case beta
}

/// The families of documents that are listed the same way.
enum PolicySet: String, Sendable, CaseIterable {
    case deviceConfigurations
    case deviceCompliancePolicies
    case configurationPolicies
    case deviceManagementScripts
    case mobileApps

    /// Whether v1.0 has the segment at all.
    var isInV1: Bool {
        switch self {
        case .deviceConfigurations, .deviceCompliancePolicies, .mobileApps: true
        case .configurationPolicies, .deviceManagementScripts: false
        }
    }

    /// The segment above, in Graph's spelling.
    var parent: String { self == .mobileApps ? "deviceAppManagement" : "deviceManagement" }

    /// The permissions' common beginning.
    var permissionFamily: String {
        switch self {
        case .deviceConfigurations, .deviceCompliancePolicies, .configurationPolicies:
            "DeviceManagementConfiguration"
        case .deviceManagementScripts: "DeviceManagementScripts"
        case .mobileApps: "DeviceManagementApps"
        }
    }
}

/// How a service principal is addressed.
enum ServicePrincipalKey: Sendable, Hashable {
    case id(String)
    case appID(String)
}

/// What a Graph path names.
enum GraphResource: Sendable, Hashable {
    case organizations
    case organization(String)
    case deviceManagement
    case managedDevices
    case managedDevice(String)
    case syncDevice(String)
    case managedDeviceOverview
    case complianceStateSummary
    case policies(PolicySet)
    case policy(PolicySet, String)
    case servicePrincipals
    case servicePrincipal(ServicePrincipalKey)
    case appRoleAssignments(ServicePrincipalKey)

    /// The methods that have a route. Everything else is answered with 405.
    var methods: [String] {
        switch self {
        case .managedDevice: ["GET", "PATCH", "DELETE"]
        case .syncDevice: ["POST"]
        case .organizations, .organization, .deviceManagement, .managedDevices, .managedDeviceOverview,
            .complianceStateSummary, .policies, .policy, .servicePrincipals, .servicePrincipal,
            .appRoleAssignments:
            ["GET"]
        }
    }

    /// Whether Intune answers (with its own error shape), or the directory.
    var isIntune: Bool {
        switch self {
        case .deviceManagement, .managedDevices, .managedDevice, .syncDevice, .managedDeviceOverview,
            .complianceStateSummary, .policies, .policy:
            true
        case .organizations, .organization, .servicePrincipals, .servicePrincipal, .appRoleAssignments:
            false
        }
    }
}
