/// A `$filter` on managed devices: comparisons joined by `and`, `or` and parentheses, and `startswith`.
///
/// Intune supports filtering on few properties only; the others are refused, as there.
indirect enum DeviceFilter: Sendable {
    case and(DeviceFilter, DeviceFilter)
    case or(DeviceFilter, DeviceFilter)
    case compare(DeviceProperty, Comparison, Literal)
    case startsWith(DeviceProperty, String)

    enum Comparison: String, Sendable {
        case eq, ne, gt, ge, lt, le
    }

    enum Literal: Sendable, Hashable {
        case text(String)
        case date(GraphDate)
        case bool(Bool)
        case null
    }

    /// The message of the 400 answer.
    struct Failure: Error, Hashable {
        let message: String
    }

    /// The properties that may be compared.
    static let properties: Set<DeviceProperty> = [
        .id, .deviceName, .complianceState, .operatingSystem, .osVersion, .managedDeviceOwnerType, .userId,
        .userPrincipalName, .azureADDeviceId, .serialNumber, .lastSyncDateTime, .enrolledDateTime,
        .isEncrypted,
        .managementAgent, .jailBroken, .deviceCategoryDisplayName, .managedDeviceName, .model, .manufacturer,
        .emailAddress,
    ]

    /// Whether the device passes.
    func matches(_ device: Device) -> Bool {
        switch self {
        case .and(let left, let right): left.matches(device) && right.matches(device)
        case .or(let left, let right): left.matches(device) || right.matches(device)
        case .compare(let property, let comparison, let literal):
            comparison.holds(device.value(of: property), literal)
        case .startsWith(let property, let prefix):
            device.value(of: property).text?.lowercased().hasPrefix(prefix.lowercased()) ?? false
        }
    }
}

extension DeviceFilter.Comparison {
    /// Strings compare without regard to letter case, as in Intune; only dates have an order.
    fileprivate func holds(_ value: DeviceValue, _ literal: DeviceFilter.Literal) -> Bool {
        switch (value, literal) {
        case (.date(let date), .date(let other)): return ordered(date, other)
        case (.bool(let flag), .bool(let other)): return equal(flag == other)
        case (.null, .null): return equal(true)
        case (_, .text(let other)):
            guard let text = value.text else { return self == .ne }
            return equal(text.lowercased() == other.lowercased())
        default: return self == .ne
        }
    }

    private func equal(_ areEqual: Bool) -> Bool {
        switch self {
        case .eq: areEqual
        case .ne: !areEqual
        case .gt, .ge, .lt, .le: false
        }
    }

    private func ordered(_ left: GraphDate, _ right: GraphDate) -> Bool {
        let isEqual = left.seconds == right.seconds && left.ticks == right.ticks
        return switch self {
        case .eq: isEqual
        case .ne: !isEqual
        case .gt: left > right
        case .ge: left > right || isEqual
        case .lt: left < right
        case .le: left < right || isEqual
        }
    }
}

extension DeviceValue {
    /// The text of a string-like value.
    var text: String? {
        switch self {
        case .word(let word): word.description
        case .text(let text): text
        case .guid(let guid): guid.description
        case .null, .date, .bool, .integer, .json: nil
        }
    }
}
