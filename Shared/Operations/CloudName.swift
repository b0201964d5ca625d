/// The clouds that a connection may be in, by their stored names. The list is closed: see `Cloud` of the gateway.
package enum CloudName: String, Sendable, CaseIterable {
    case global
    case usGovernment = "us_government"
    case usGovernmentDoD = "us_government_dod"
    case china
    /// The stand-in of Microsoft Graph on this machine.
    case sandbox

    /// What people read for it.
    package var label: String {
        switch self {
        case .global: "Global"
        case .usGovernment: "US Government"
        case .usGovernmentDoD: "US Government (DoD)"
        case .china: "China (21Vianet)"
        case .sandbox: "Sandbox"
        }
    }
}
