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
        case .policies(let set), .policy(let set, _):
            readOrWrite(set.permissionFamily)
        case .servicePrincipals, .servicePrincipal, .appRoleAssignments:
            ["Application.Read.All", "Directory.Read.All"]
        }
    }

    /// ReadWrite implies Read for the same surface, and for no other.
    private static func readOrWrite(_ family: String) -> [String] {
        ["\(family).Read.All", "\(family).ReadWrite.All"]
    }
}
