/// The tenants that exist without further ado. Their ids and credentials are the same for every seed, so that
/// examples and scripts can name them.
enum DefaultTenants {
    /// One line of the table that `--help` prints.
    struct Entry: Sendable {
        let id: String
        let displayName: String
        let domain: String
        let devices: Int
        let intune: Bool
        let roles: [String]
    }

    /// The same app is known in all of them, as a service provider's multi-tenant app is.
    static let clientID = "a71a5000-0000-4000-8000-00000000a995"
    /// Holds the characters that must be encoded in a form body.
    static let clientSecret = "sandbox~Secret.1+2/3=4&5%6_7-8"

    static let entries = [
        Entry(
            id: "c0000000-0000-4000-8000-000000000001", displayName: "Contoso GmbH",
            domain: "contoso.onmicrosoft.com", devices: 20_000, intune: true, roles: AppRole.readers),
        Entry(
            id: "c0000000-0000-4000-8000-000000000002", displayName: "Fabrikam AG",
            domain: "fabrikam.onmicrosoft.com", devices: 1_250, intune: true, roles: AppRole.readers),
        Entry(
            id: "c0000000-0000-4000-8000-000000000003", displayName: "Northwind (no devices)",
            domain: "northwind.onmicrosoft.com", devices: 0, intune: true, roles: AppRole.readers),
        Entry(
            id: "c0000000-0000-4000-8000-000000000004", displayName: "Adventure Works (no Intune)",
            domain: "adventureworks.onmicrosoft.com", devices: 0, intune: false, roles: AppRole.readers),
        Entry(
            id: "c0000000-0000-4000-8000-000000000005", displayName: "Tailspin (devices not granted)",
            domain: "tailspin.onmicrosoft.com", devices: 300, intune: true,
            roles: ["Organization.Read.All", "Application.Read.All"]),
        Entry(
            id: "c0000000-0000-4000-8000-000000000006", displayName: "Wingtip (no consent)",
            domain: "wingtip.onmicrosoft.com", devices: 300, intune: true, roles: []),
    ]

    static func make() -> [Tenant] {
        entries.map { entry in
            Tenant(
                id: entry.id, displayName: entry.displayName, domain: entry.domain, intune: entry.intune,
                app: AppRegistration(clientID: clientID, clientSecret: clientSecret, roles: entry.roles),
                deviceSeed: entry.id, roster: DeviceRoster(count: entry.devices))
        }
    }
}
