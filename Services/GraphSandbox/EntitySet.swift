/// The families of documents that are listed, read, written and assigned the same way.
enum EntitySet: String, Sendable, CaseIterable {
    case deviceConfigurations
    case deviceCompliancePolicies
    case configurationPolicies
    case deviceManagementScripts
    case assignmentFilters
    case roleScopeTags
    case mobileApps
    case iosManagedAppProtections
    case androidManagedAppProtections
    case conditionalAccessPolicies
    case groups

    /// The segments below the version, in Graph's spelling.
    var address: [String] {
        switch self {
        case .deviceConfigurations, .deviceCompliancePolicies, .configurationPolicies,
            .deviceManagementScripts, .assignmentFilters, .roleScopeTags:
            ["deviceManagement", rawValue]
        case .mobileApps, .iosManagedAppProtections, .androidManagedAppProtections:
            ["deviceAppManagement", rawValue]
        case .conditionalAccessPolicies: ["identity", "conditionalAccess", "policies"]
        case .groups: ["groups"]
        }
    }

    /// The collection's name in `@odata.context`.
    var context: String { address.joined(separator: "/") }

    /// Whether v1.0 has the segment at all.
    var isInV1: Bool {
        switch self {
        case .deviceConfigurations, .deviceCompliancePolicies, .mobileApps, .iosManagedAppProtections,
            .androidManagedAppProtections, .conditionalAccessPolicies, .groups:
            true
        case .configurationPolicies, .deviceManagementScripts, .assignmentFilters, .roleScopeTags: false
        }
    }

    /// Whether Intune answers, or the directory.
    var isIntune: Bool { self != .conditionalAccessPolicies && self != .groups }

    /// Whether the sandbox has routes for writes. Apps' content and groups are only read here.
    var isWritable: Bool { self != .mobileApps && self != .groups }

    /// Whether the documents have `/assignments` and `/assign`.
    var hasAssignments: Bool {
        switch self {
        case .deviceConfigurations, .deviceCompliancePolicies, .configurationPolicies,
            .deviceManagementScripts, .roleScopeTags, .mobileApps, .iosManagedAppProtections,
            .androidManagedAppProtections:
            true
        case .assignmentFilters, .conditionalAccessPolicies, .groups: false
        }
    }

    var isAppProtection: Bool { self == .iosManagedAppProtections || self == .androidManagedAppProtections }

    /// What `$expand` may name, and what may be expanded inside it.
    var expandable: [String: [String]] {
        var names: [String: [String]] = hasAssignments && self != .roleScopeTags ? ["assignments": []] : [:]
        if self == .deviceCompliancePolicies {
            names["scheduledActionsForRule"] = ["scheduledActionConfigurations"]
        }
        if self == .configurationPolicies { names["settings"] = [] }
        if isAppProtection { names["apps"] = [] }
        return names
    }

    /// Entries of a page when the client names no size.
    var pageSize: Int {
        switch self {
        case .configurationPolicies: 25
        case .groups, .conditionalAccessPolicies: 100
        default: QueryOptions.largestPage
        }
    }

    /// How many documents a tenant has when nobody says otherwise.
    var defaultCount: Int {
        switch self {
        case .deviceConfigurations: 16
        case .deviceCompliancePolicies: 8
        case .configurationPolicies: 10
        case .deviceManagementScripts, .mobileApps, .conditionalAccessPolicies: 4
        case .assignmentFilters: 4
        case .roleScopeTags, .iosManagedAppProtections, .androidManagedAppProtections: 2
        case .groups: 12
        }
    }

    /// The largest number of documents that a tenant may be given.
    static let countLimit = 20_000
}
