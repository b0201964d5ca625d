/// The kinds of policies that are read, backed up and restored, by the names that parameters and the database use.
package enum PolicyKind: String, Sendable, CaseIterable {
    case deviceConfiguration = "device_configuration"
    case compliancePolicy = "compliance_policy"
    case settingsCatalogPolicy = "settings_catalog_policy"
    case deviceScript = "device_script"
    case assignmentFilter = "assignment_filter"
    case scopeTag = "scope_tag"
    case mobileApp = "mobile_app"
    case iosAppProtection = "ios_app_protection"
    case androidAppProtection = "android_app_protection"
    case conditionalAccessPolicy = "conditional_access_policy"

    /// What people read for it.
    package var word: String { rawValue.replacing("_", with: " ") }
}
