/// What a token may be used for at most. What it can be used for is that and what its owner holds: never more than
/// either.
package struct TokenScope: Sendable, Hashable {
    /// The most tenants that one token names.
    package static let tenantLimit = 200

    /// Nil for every capability.
    package let capabilities: Set<Capability>?
    /// Nil for every tenant, and what belongs to no tenant.
    package let tenants: Set<TenantID>?

    /// Everything that the owner may do.
    package static let full = TokenScope(capabilities: nil, tenants: nil)

    package init(capabilities: Set<Capability>?, tenants: Set<TenantID>?) {
        self.capabilities = capabilities
        self.tenants = tenants
    }

    /// Whether it takes nothing away.
    package var isFull: Bool { capabilities == nil && tenants == nil }

    /// Whether it may be used for the capability, somewhere.
    package func includes(_ capability: Capability) -> Bool { capabilities?.contains(capability) ?? true }

    /// Whether it may be used on the tenant or, with nil, on what belongs to a whole workspace.
    package func reaches(_ tenant: TenantID?) -> Bool {
        guard let tenants else { return true }
        return tenant.map(tenants.contains) ?? false
    }
}

/// How long tokens last.
package enum TokenLifetime {
    /// In days, when nobody says anything.
    package static let standard = 90
    /// In days.
    package static let range = 1...365
}
