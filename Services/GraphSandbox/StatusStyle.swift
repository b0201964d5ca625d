/// Whether writes are answered with the documented status codes, or with those that were seen in the field.
/// Clients must pass with both.
enum StatusStyle: String, Sendable, CaseIterable {
    case documented, observed

    /// Status of a create; the entity is always in the body.
    func created(_ set: EntitySet) -> Int { self == .observed && set == .roleScopeTags ? 200 : 201 }

    /// Status of a PATCH: 200 with the entity, or 204.
    func patched(_ set: EntitySet) -> Int {
        switch set {
        case .conditionalAccessPolicies, .groups: 204
        case .deviceConfigurations, .deviceCompliancePolicies, .iosManagedAppProtections,
            .androidManagedAppProtections:
            self == .observed ? 204 : 200
        case .configurationPolicies, .deviceManagementScripts, .assignmentFilters, .roleScopeTags,
            .mobileApps:
            200
        }
    }

    /// Status of a DELETE; the body is always empty.
    func deleted(_ set: EntitySet) -> Int {
        self == .observed && set.isIntune && !set.isAppProtection ? 200 : 204
    }
}
