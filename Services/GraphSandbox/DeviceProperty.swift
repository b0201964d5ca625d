/// The properties of a managed device, in the order in which a full answer lists them.
enum DeviceProperty: String, Sendable, CaseIterable {
    case id, userId, deviceName, managedDeviceOwnerType, enrolledDateTime, lastSyncDateTime, operatingSystem
    case complianceState, jailBroken, managementAgent, osVersion, easActivated, easDeviceId,
        easActivationDateTime
    case azureADRegistered, deviceEnrollmentType, activationLockBypassCode, emailAddress, azureADDeviceId
    case deviceRegistrationState, deviceCategoryDisplayName, isSupervised
    case exchangeLastSuccessfulSyncDateTime, exchangeAccessState, exchangeAccessStateReason
    case remoteAssistanceSessionUrl, remoteAssistanceSessionErrorDetails, isEncrypted, userPrincipalName,
        model
    case manufacturer, imei, complianceGracePeriodExpirationDateTime, serialNumber, phoneNumber
    case androidSecurityPatchLevel, userDisplayName, configurationManagerClientEnabledFeatures, wiFiMacAddress
    case deviceHealthAttestationState, subscriberCarrier, meid, totalStorageSpaceInBytes,
        freeStorageSpaceInBytes
    case managedDeviceName, partnerReportedThreatState, requireUserEnrollmentApproval
    case managementCertificateExpirationDate, iccid, udid, notes, ethernetMacAddress, physicalMemoryInBytes
    case enrollmentProfileName, managementState, deviceActionResults
    // Beta only.
    case ownerType, deviceType, chassisType, joinType, skuFamily, autopilotEnrolled, lostModeState
    case processorArchitecture, roleScopeTagIds, hardwareInformation, usersLoggedOn, specificationVersion

    /// Whether v1.0 doesn't know the property (and refuses it in `$select`).
    var isBetaOnly: Bool {
        switch self {
        case .ownerType, .deviceType, .chassisType, .joinType, .skuFamily, .autopilotEnrolled, .lostModeState,
            .processorArchitecture, .roleScopeTagIds, .hardwareInformation, .usersLoggedOn,
            .specificationVersion:
            true
        default: false
        }
    }

    /// Whether Intune fills the property only for a single device that is read with `$select`.
    var isFilledOnRequestOnly: Bool {
        switch self {
        case .activationLockBypassCode, .remoteAssistanceSessionUrl, .remoteAssistanceSessionErrorDetails,
            .iccid, .udid, .notes, .ethernetMacAddress, .physicalMemoryInBytes, .hardwareInformation:
            true
        default: false
        }
    }

    /// All properties that `version` knows.
    static func all(in version: GraphVersion) -> [DeviceProperty] {
        version == .beta ? allCases : v1Properties
    }

    private static let v1Properties = allCases.filter { !$0.isBetaOnly }

    /// The property called `name` (exact letter case), if `version` has it.
    static func named(_ name: String, in version: GraphVersion) -> DeviceProperty? {
        guard let property = DeviceProperty(rawValue: name) else { return nil }
        return property.isBetaOnly && version == .v1 ? nil : property
    }

    /// `"name":` as it stands in the JSON text.
    var jsonKey: [UInt8] { Array("\"\(rawValue)\":".utf8) }
}
