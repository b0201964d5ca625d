/// What goes with an operating system: makers, models and versions that occur together.
struct DevicePlatform: Sendable {
    let operatingSystem: StaticString
    let versions: [StaticString]
    /// Maker and model.
    let hardware: [(StaticString, StaticString)]
    let agent: StaticString
    let enrollment: StaticString

    static let windows = DevicePlatform(
        operatingSystem: "Windows",
        versions: ["10.0.26100.7171", "10.0.22631.6199", "10.0.19045.6456", "10.0.26200.7171"],
        hardware: [
            ("LENOVO", "21CB00AYGE"), ("Dell Inc.", "Latitude 7440"), ("HP", "HP EliteBook 840 G10"),
            ("Microsoft Corporation", "Surface Laptop 6"), ("Microsoft Corporation", "Virtual Machine"),
        ],
        agent: "mdm", enrollment: "windowsAzureADJoin")
    static let iOS = DevicePlatform(
        operatingSystem: "iOS", versions: ["26.1", "18.7.2", "17.7.10"],
        hardware: [
            ("Apple", "iPhone 16"), ("Apple", "iPhone 15 Pro"), ("Apple", "iPhone SE (3rd generation)"),
        ],
        agent: "mdm", enrollment: "userEnrollment")
    static let iPadOS = DevicePlatform(
        operatingSystem: "iPadOS", versions: ["26.1", "18.7.2"],
        hardware: [("Apple", "iPad (10th generation)"), ("Apple", "iPad Pro 11-inch (M4)")],
        agent: "mdm", enrollment: "appleBulkWithoutUser")
    static let android = DevicePlatform(
        operatingSystem: "Android", versions: ["16", "15", "14", "13"],
        hardware: [("samsung", "SM-S926B"), ("Google", "Pixel 9"), ("Zebra Technologies", "TC52X")],
        agent: "googleCloudDevicePolicyController", enrollment: "deviceEnrollmentManager")
    static let macOS = DevicePlatform(
        operatingSystem: "macOS", versions: ["26.1 (25B78)", "15.7.2 (24G325)"],
        hardware: [("Apple", "MacBook Pro"), ("Apple", "MacBook Air"), ("Apple", "Mac mini")],
        agent: "mdm", enrollment: "appleBulkWithUser")
    static let linux = DevicePlatform(
        operatingSystem: "Linux", versions: ["24.04", "22.04"],
        hardware: [("LENOVO", "ThinkPad P1 Gen 6"), ("Dell Inc.", "Precision 5680")],
        agent: "intuneClient", enrollment: "userEnrollment")

    /// The platform for a percentage drawn from 0 to 99.
    static func drawn(_ percent: Int) -> DevicePlatform {
        switch percent {
        case ..<55: windows
        case ..<74: iOS
        case ..<79: iPadOS
        case ..<90: android
        case ..<98: macOS
        default: linux
        }
    }

    /// The counters of `deviceOperatingSystemSummary`.
    static let summaryNames = [
        "androidCount", "iosCount", "macOSCount", "windowsMobileCount", "windowsCount", "unknownCount",
    ]

    /// The counter that devices with this operating system go into.
    static func summaryName(of operatingSystem: String) -> String {
        switch operatingSystem {
        case "Windows": "windowsCount"
        case "iOS", "iPadOS": "iosCount"
        case "Android": "androidCount"
        case "macOS": "macOSCount"
        default: "unknownCount"
        }
    }
}
