/// The two versions of Graph. What exists in one need not exist in the other.
enum GraphVersion: String, Sendable {
    case v1 = "v1.0"
    case beta
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
    case entities(EntitySet)
    case entity(EntitySet, String)
    case assignments(EntitySet, String)
    case assign(EntitySet, String)
    /// The settings of a settings-catalogue policy.
    case settings(String)
    /// The action that replaces a compliance policy's actions (note the service's own spelling).
    case scheduleActions(String)
    /// The plain text of a masked OMA-URI value, by its reference.
    case omaSettingPlainText(String, secret: String)
    case protectedApps(EntitySet, String)
    case targetApps(EntitySet, String)
    /// The app protection policies of all platforms in one list.
    case managedAppPolicies
    case managedAppPolicy(String)
    case directoryObjectsByIDs
    case batch
    case servicePrincipals
    case servicePrincipal(ServicePrincipalKey)
    case appRoleAssignments(ServicePrincipalKey)

    /// The methods that have a route. Everything else is answered with 405.
    var methods: [String] {
        switch self {
        case .managedDevice: ["GET", "PATCH", "DELETE"]
        case .syncDevice, .assign, .scheduleActions, .targetApps, .directoryObjectsByIDs, .batch: ["POST"]
        case .entities(let set): set.isWritable ? ["GET", "POST"] : ["GET"]
        case .entity(.configurationPolicies, _): ["GET", "PATCH", "PUT", "DELETE"]
        case .entity(let set, _): set.isWritable ? ["GET", "PATCH", "DELETE"] : ["GET"]
        case .organizations, .organization, .deviceManagement, .managedDevices, .managedDeviceOverview,
            .complianceStateSummary, .assignments, .settings, .omaSettingPlainText, .protectedApps,
            .managedAppPolicies, .managedAppPolicy, .servicePrincipals, .servicePrincipal,
            .appRoleAssignments:
            ["GET"]
        }
    }

    /// Whether a page of it can be disturbed by faults.
    var isPaged: Bool {
        switch self {
        case .managedDevices, .entities, .settings, .managedAppPolicies: true
        default: false
        }
    }

    /// Whether `method` changes something here. Some POSTs only ask.
    func isWrite(_ method: String) -> Bool {
        switch self {
        case .batch, .directoryObjectsByIDs: false
        default: !["GET", "HEAD", "OPTIONS"].contains(method)
        }
    }

    /// Whether Intune answers (with its own error shape), or the directory.
    var isIntune: Bool {
        switch self {
        case .deviceManagement, .managedDevices, .managedDevice, .syncDevice, .managedDeviceOverview,
            .complianceStateSummary, .settings, .scheduleActions, .omaSettingPlainText, .protectedApps,
            .targetApps, .managedAppPolicies, .managedAppPolicy:
            true
        case .entities(let set), .entity(let set, _), .assignments(let set, _), .assign(let set, _):
            set.isIntune
        case .organizations, .organization, .servicePrincipals, .servicePrincipal, .appRoleAssignments,
            .directoryObjectsByIDs, .batch:
            false
        }
    }
}
