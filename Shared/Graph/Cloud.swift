/// A national cloud of Microsoft, or the sandbox. The list is closed: nobody can make the gateway send a token
/// to a host that was typed in.
package enum Cloud: Sendable, Hashable {
    /// Also the US Government's community cloud (GCC).
    case global
    /// US Government, GCC High.
    case usGovernment
    /// US Government, Department of Defense.
    case usGovernmentDoD
    case china
    /// The sandbox at the address that the service's own configuration names.
    case sandbox(Origin)

    /// Reads a connection's stored word. Nil for an unknown one, and for the sandbox where none is configured.
    package init?(stored: String, sandbox: Origin?) {
        switch stored {
        case "global": self = .global
        case "us_government": self = .usGovernment
        case "us_government_dod": self = .usGovernmentDoD
        case "china": self = .china
        case "sandbox":
            guard let sandbox else { return nil }
            self = .sandbox(sandbox)
        default: return nil
        }
    }

    /// Where tokens come from.
    var login: Origin {
        switch self {
        case .global: Self.origin("https://login.microsoftonline.com")
        case .usGovernment, .usGovernmentDoD: Self.origin("https://login.microsoftonline.us")
        case .china: Self.origin("https://login.partner.microsoftonline.cn")
        case .sandbox(let origin): origin
        }
    }

    /// Where Graph answers, and the resource that tokens are for.
    var graph: Origin {
        switch self {
        case .global: Self.origin("https://graph.microsoft.com")
        case .usGovernment: Self.origin("https://graph.microsoft.us")
        case .usGovernmentDoD: Self.origin("https://dod-graph.microsoft.us")
        case .china: Self.origin("https://microsoftgraph.chinacloudapi.cn")
        case .sandbox(let origin): origin
        }
    }

    private static func origin(_ url: StaticString) -> Origin { Origin(url: "\(url)")! }
}
