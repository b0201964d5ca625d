/// The app that the service provider registered, as one customer tenant knows it.
struct AppRegistration: Sendable, Hashable, CustomStringConvertible {
    /// The application id, in lower case.
    var clientID: String
    /// The secret's value. It is compared and never sent anywhere. Empty: there is none.
    var clientSecret: String
    /// What assertions may be signed with.
    var certificates: [RegisteredCertificate] = []
    /// The names of the application permissions that an administrator consented to.
    var roles: [String]

    var description: String { "AppRegistration(\(clientID))" }
}

/// One emulated Microsoft tenant.
struct Tenant: Sendable {
    /// The directory's GUID, in lower case.
    let id: String
    var displayName: String
    /// The verified default domain, which the token endpoint accepts instead of the id.
    var domain: String
    /// Whether the tenant has an Intune subscription.
    var intune: Bool
    var app: AppRegistration
    /// What devices and policies are computed from. Tenants with equal texts have the same object ids.
    let deviceSeed: String
    /// Which devices there are, in which order, and how they were edited.
    var roster: DeviceRoster
    /// Policies, groups and filters.
    var entities = EntityShelves()
    /// The status codes that writes are answered with.
    var statuses = StatusStyle.documented
    /// Tokens with a serial number up to this one are no longer accepted.
    var revokedTokens: UInt64 = 0

    /// The largest number of devices that a tenant may be given.
    static let deviceLimit = 100_000
}
