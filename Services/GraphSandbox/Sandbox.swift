import Synchronization

/// Everything that the handlers work on.
final class Sandbox: Sendable {
    struct Options: Sendable {
        var seed: UInt64 = 1
        /// Seconds that access tokens live.
        var tokenLifetime = 3_599
        /// The token of the control surface; nil: there is no control surface.
        var controlToken: String?
        /// Entries that the journal keeps; it is only kept with a control surface.
        var journalCapacity = 1_000_000
        var clock = SandboxClock.system
    }

    let options: Options
    let tenants: Tenants
    let signer = TokenSigner()
    let faults = Faults()
    /// Nil without a control surface: nobody could read it.
    let journal: Journal?
    private let lastTokenSerial = Atomic<UInt64>(0)

    init(_ options: Options, tenants: [Tenant]) {
        self.options = options
        self.tenants = Tenants(seed: options.seed, tenants)
        journal = options.controlToken == nil ? nil : Journal(capacity: options.journalCapacity)
    }

    var now: Int64 { options.clock.unixSeconds() }

    /// The number of the next token.
    func nextTokenSerial() -> UInt64 { lastTokenSerial.add(1, ordering: .relaxed).newValue }

    /// Makes all tokens of the tenant that were issued so far unacceptable; false when there is no such
    /// tenant.
    func revokeTokens(of tenant: String) -> Bool {
        let serial = lastTokenSerial.load(ordering: .relaxed)
        return tenants.update(tenant) { $0.revokedTokens = serial } != nil
    }
}
