import FoundationEssentials
import Operations
import Store

/// A service provider to look at: its workspace, customers and people. Ids are fixed, so that it can be made
/// again over itself.
enum DemoWorld {
    /// A customer's tenant, at us and at the sandbox.
    struct Tenant: Sendable {
        let number: Int
        let name: String
        let domain: String
        let devices: Int
        /// Of its policies, the device configurations.
        let configurations: Int

        var id: TenantID { TenantID(DemoWorld.uuid(.tenant, number)) }
        var connectionID: ConnectionID { ConnectionID(DemoWorld.uuid(.connection, number)) }
        /// The directory's id.
        var entraTenantID: String { DemoWorld.text(.directory, number) }
        /// The application in the directory, and its secret, which opens nothing but the sandbox.
        var clientID: String { DemoWorld.text(.application, number) }
        var clientSecret: String { "demo~\(domain)~\(number)" }
    }

    /// A person, or a system with an account of its own.
    struct User: Sendable {
        let number: Int
        let name: String
        let role: Role
        let kind: Principal.Kind

        var id: UserID { UserID(DemoWorld.uuid(.user, number)) }
    }

    static let workspaceID = WorkspaceID(uuid(.workspace, 1))
    static let workspaceName = "Northwind Managed Services"

    /// The customers; `large` adds one with as many devices as the sandbox takes.
    static func tenants(large: Bool) -> [Tenant] {
        let entries = [
            ("Contoso", "contoso.example", 20_000, 500), ("Fabrikam", "fabrikam.example", 1_250, 40),
            ("Adventure Works", "adventure-works.example", 300, 20), ("Litware", "litware.example", 120, 10),
            ("Woodgrove Bank", "woodgrove.example", 80, 10), ("Tailspin Toys", "tailspin.example", 20, 5),
            ("Wide World Importers", "wideworld.example", 100_000, 16),
        ]
        return entries.prefix(large ? 7 : 6).enumerated().map { index, entry in
            Tenant(
                number: index + 1, name: entry.0, domain: entry.1, devices: entry.2, configurations: entry.3)
        }
    }

    static let users: [User] = [
        ("Nadia Brandt", Role.owner, Principal.Kind.person), ("Marcus Lindqvist", .manager, .person),
        ("Omar Reyes", .operator, .person), ("Priya Nair", .operator, .person),
        ("Jonas Weber", .operator, .person), ("Clara Dubois", .readonly, .person),
        ("ticket-system", .operator, .system),
    ].enumerated().map { index, entry in
        User(number: index + 1, name: entry.0, role: entry.1, kind: entry.2)
    }

    private enum Kind: UInt8 {
        case workspace = 1, tenant, directory, application, connection, user
    }

    /// An id that tells what it names: a71a5000-00KK-4000-8000-0000000000NN.
    private static func uuid(_ kind: Kind, _ number: Int) -> UUID {
        UUID(
            uuid: (
                0xA7, 0x1A, 0x50, 0, 0, kind.rawValue, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, UInt8(number)
            ))
    }

    private static func text(_ kind: Kind, _ number: Int) -> String {
        uuid(kind, number).uuidString.lowercased()
    }
}
