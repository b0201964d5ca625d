package import Operations

/// A change of who may do what, where.
package enum AuthorityChange: Sendable, Hashable {
    /// Takes the person's grant on the tenant away, or the one on the whole workspace when there is no tenant.
    case revokeMembership(user: UserID, tenant: TenantID?)
    case changeRole(user: UserID, tenant: TenantID?, role: Role)
    case disableUser(UserID)
    case setOperability(TenantID, AuthorityFacts.Operability)
    case setWriteGate(TenantID, isOpen: Bool)
    case setConnectionEnabled(ConnectionID, Bool)
    case freeze(FreezeScope)
}

extension AuthorityChange {
    /// Whether it may take something away. A new role may be a lower one.
    package var takes: Bool {
        switch self {
        case .setOperability(_, .operable), .setWriteGate(_, isOpen: true), .setConnectionEnabled(_, true):
            false
        case .revokeMembership, .changeRole, .disableUser, .setOperability, .setWriteGate,
            .setConnectionEnabled, .freeze:
            true
        }
    }

    /// The tenant whose waiting runs may go on now.
    var givesBack: TenantID? {
        switch self {
        case .setOperability(let tenant, .operable), .setWriteGate(let tenant, isOpen: true): tenant
        case .revokeMembership, .changeRole, .disableUser, .setOperability, .setWriteGate,
            .setConnectionEnabled, .freeze:
            nil
        }
    }
}

/// What a freeze stops.
package enum FreezeScope: Sendable, Hashable {
    case everything
    /// The workspace that the change is made in.
    case workspace
    case tenant(TenantID)
    case connection(ConnectionID)
}
