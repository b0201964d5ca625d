/// Which application permissions open which part of Graph. Any one of the listed is enough.
enum Permissions {
    /// The permissions that allow `method` on `resource`, least first, as the 403 answer lists them.
    static func accepted(for method: String, on resource: GraphResource) -> [String] {
        switch resource {
        case .organizations, .organization:
            [
                "Organization.Read.All", "Directory.Read.All", "DeviceManagementConfiguration.Read.All",
                "DeviceManagementConfiguration.ReadWrite.All", "DeviceManagementServiceConfig.Read.All",
                "DeviceManagementServiceConfig.ReadWrite.All",
            ]
        case .deviceManagement:
            readOrWrite("DeviceManagementConfiguration") + readOrWrite("DeviceManagementManagedDevices")
                + readOrWrite("DeviceManagementServiceConfig") + readOrWrite("DeviceManagementApps")
        case .managedDevices, .managedDevice:
            method == "GET"
                ? readOrWrite("DeviceManagementManagedDevices")
                : ["DeviceManagementManagedDevices.ReadWrite.All"]
        case .managedDeviceOverview:
            readOrWrite("DeviceManagementManagedDevices")
        case .complianceStateSummary:
            readOrWrite("DeviceManagementConfiguration")
        case .syncDevice:
            ["DeviceManagementManagedDevices.PrivilegedOperations.All"]
        case .entities(let set), .entity(let set, _), .assignments(let set, _), .assign(let set, _),
            .protectedApps(let set, _), .targetApps(let set, _):
            accepted(for: method, on: set)
        case .settings: accepted(for: method, on: .configurationPolicies)
        case .scheduleActions: accepted(for: method, on: .deviceCompliancePolicies)
        case .omaSettingPlainText: accepted(for: method, on: .deviceConfigurations)
        case .managedAppPolicies, .managedAppPolicy: readOrWrite("DeviceManagementApps")
        case .directoryObjectsByIDs: accepted(for: "GET", on: .groups)
        // Each inner request needs its own.
        case .batch: []
        case .servicePrincipals, .servicePrincipal, .appRoleAssignments:
            ["Application.Read.All", "Directory.Read.All"]
        }
    }

    /// Permissions that a call needs beside one of the accepted ones, all of them.
    static func alsoNeeded(for method: String, on resource: GraphResource) -> [String] {
        switch resource {
        case .entities(.conditionalAccessPolicies), .entity(.conditionalAccessPolicies, _):
            method == "GET" ? [] : ["Policy.Read.All"]
        default: []
        }
    }

    private static func accepted(for method: String, on set: EntitySet) -> [String] {
        let isRead = method == "GET"
        switch set {
        case .deviceConfigurations, .deviceCompliancePolicies, .configurationPolicies, .assignmentFilters:
            return intune("DeviceManagementConfiguration", isRead)
        case .deviceManagementScripts: return intune("DeviceManagementScripts", isRead)
        case .mobileApps, .iosManagedAppProtections, .androidManagedAppProtections:
            return intune("DeviceManagementApps", isRead)
        case .roleScopeTags: return intune("DeviceManagementRBAC", isRead)
        case .conditionalAccessPolicies:
            return isRead
                ? ["Policy.Read.ConditionalAccess", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"]
                : ["Policy.ReadWrite.ConditionalAccess"]
        case .groups:
            return ["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All", "Group.ReadWrite.All"]
        }
    }

    private static func intune(_ family: String, _ isRead: Bool) -> [String] {
        isRead ? readOrWrite(family) : ["\(family).ReadWrite.All"]
    }

    /// ReadWrite implies Read for the same surface, and for no other.
    private static func readOrWrite(_ family: String) -> [String] {
        ["\(family).Read.All", "\(family).ReadWrite.All"]
    }
}
