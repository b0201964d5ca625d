/// The value of one property, ready to be written or compared.
enum DeviceValue: Sendable {
    case null
    case word(StaticString)
    case text(String)
    case guid(GUID)
    case date(GraphDate)
    case bool(Bool)
    case integer(Int64)
    /// A value that is JSON already (objects and arrays).
    case json(StaticString)
}

extension Device {
    /// The value of `property` as the service sends it.
    func value(of property: DeviceProperty) -> DeviceValue {
        switch property {
        case .id: .guid(id)
        case .deviceName: .text(name)
        case .managedDeviceName: .text(managedName)
        case .complianceState: .word(complianceState.text)
        case .operatingSystem: .word(platform.operatingSystem)
        case .osVersion: oddity == .nullModel ? .null : .word(drawn(platform.versions, 8))
        case .lastSyncDateTime: .date(lastSync)
        case .enrolledDateTime: .date(date(11, within: 900))
        case .managedDeviceOwnerType, .ownerType: ownerType
        case .azureADDeviceId: isRegistered ? .guid(draws.guid(12)) : .guid(.zero)
        case .azureADRegistered: .bool(isRegistered)
        case .serialNumber: .text(serialNumber)
        case .userId, .userPrincipalName, .userDisplayName, .emailAddress: userValue(property)
        case .model: oddity == .nullModel ? .null : .word(drawn(platform.hardware, 9).1)
        case .manufacturer: oddity == .nullModel ? .null : .word(drawn(platform.hardware, 9).0)
        case .managementAgent, .managementState, .deviceEnrollmentType, .deviceRegistrationState, .jailBroken,
            .partnerReportedThreatState, .exchangeAccessState, .exchangeAccessStateReason:
            enumValue(property)
        case .complianceGracePeriodExpirationDateTime:
            complianceState == .inGracePeriod ? .date(futureDate(13, within: 14)) : .date(.forever)
        case .managementCertificateExpirationDate: .date(futureDate(14, within: 365))
        case .easActivationDateTime, .exchangeLastSuccessfulSyncDateTime: .date(.never)
        case .isEncrypted: .bool(draws.number(15, below: 10) > 0)
        case .isSupervised: .bool(isApple && draws.number(16, below: 2) == 0)
        case .easActivated: .bool(draws.number(17, below: 2) == 0)
        case .requireUserEnrollmentApproval: isApple ? .bool(false) : .null
        case .autopilotEnrolled: .bool(platform.operatingSystem.description == "Windows")
        case .totalStorageSpaceInBytes: .integer(storage)
        case .freeStorageSpaceInBytes: .integer(storage / 100 * Int64(draws.number(18, below: 90)))
        case .physicalMemoryInBytes: .integer(8_589_934_592)
        default: rarelyRead(property)
        }
    }

    private var managedName: String {
        edit?.managedDeviceName ?? "\(user.firstName)_\(platform.operatingSystem)_\(code(8, stream: 19))"
    }

    /// A sync that was asked for moves the date by a minute each: deterministic, and visible.
    private var lastSync: GraphDate {
        let date = date(10, within: 30)
        guard let syncs = edit?.syncs, syncs > 0 else { return date }
        return GraphDate(seconds: date.seconds + Int64(syncs) * 60, ticks: date.ticks, digits: date.digits)
    }

    private var isRegistered: Bool { draws.number(20, below: 12) > 0 }

    private var ownerType: DeviceValue {
        if let ownerType = edit?.ownerType { return .text(ownerType) }
        return .word(draws.number(21, below: 4) == 0 ? "personal" : "company")
    }

    private var storage: Int64 { 137_438_953_472 << Int64(draws.number(22, below: 4)) }

    private func userValue(_ property: DeviceProperty) -> DeviceValue {
        switch oddity {
        case .nullUser: return .null
        case .emptyUser: return .word("")
        default: break
        }
        switch property {
        case .userId: return .guid(user.id)
        case .userDisplayName: return .text(user.displayName)
        default: return .text(user.principalName(generator.domain))
        }
    }

    private func enumValue(_ property: DeviceProperty) -> DeviceValue {
        switch property {
        case .managementAgent: .word(oddity == .unknownEnumMember ? "lunarGatewayAgent" : platform.agent)
        case .managementState: .word(oddity == .unknownEnumMember ? "quarantinedByPolicy" : "managed")
        case .deviceEnrollmentType: .word(platform.enrollment)
        case .deviceRegistrationState: .word(isRegistered ? "registered" : "notRegistered")
        case .jailBroken: .word(isMobile ? "False" : "Unknown")
        case .partnerReportedThreatState: .word("unknown")
        case .exchangeAccessState, .exchangeAccessStateReason: .word("none")
        default: .null
        }
    }

    /// What hardly any client selects.
    private func rarelyRead(_ property: DeviceProperty) -> DeviceValue {
        switch property {
        case .deviceCategoryDisplayName: .word(draws.number(23, below: 5) == 0 ? "Kiosk" : "")
        case .wiFiMacAddress, .ethernetMacAddress: .text(code(12, stream: 24))
        case .imei, .meid:
            isMobile ? .text("35\(draws.number(25, below: 10_000_000) + 10_000_000)00000") : .word("")
        case .iccid, .phoneNumber, .subscriberCarrier, .udid, .easDeviceId: .word("")
        case .androidSecurityPatchLevel:
            .word(platform.operatingSystem.description == "Android" ? "2026-10-05" : "")
        case .notes: edit?.notes.map(DeviceValue.text) ?? .null
        case .enrollmentProfileName: .word("")
        case .configurationManagerClientEnabledFeatures, .deviceHealthAttestationState: .null
        case .activationLockBypassCode, .remoteAssistanceSessionUrl, .remoteAssistanceSessionErrorDetails:
            .null
        case .deviceActionResults, .usersLoggedOn: .json("[]")
        case .deviceType: .word(platform.operatingSystem.description == "Windows" ? "windowsRT" : "unknown")
        case .chassisType: .word(isMobile ? "phone" : "laptop")
        case .joinType: .word(isRegistered ? "azureADJoined" : "unknown")
        case .skuFamily: .word("Enterprise")
        case .lostModeState: .word("disabled")
        case .processorArchitecture: .word("unknown")
        case .roleScopeTagIds: .json("[\"0\"]")
        case .hardwareInformation: .json("{\"tpmVersion\":\"2.0\",\"batteryHealthPercentage\":0}")
        case .specificationVersion: .word("2.0")
        default: .null
        }
    }

    private func drawn<Element>(_ choices: [Element], _ stream: UInt64) -> Element {
        choices[draws.number(stream, below: choices.count)]
    }
}
