extension LegitimacyCheck {
    /// What the check asks, as a person reads it with a tick or a cross before it.
    package var words: String {
        switch self {
        case .operationKnown: "the operation is known"
        case .notExpired: "it has not waited too long"
        case .scopeConsistent: "what was queued fits the tenant and the connection"
        case .workspaceUnchanged: "the tenant is still in the same workspace"
        case .systemAllowlisted: "the system may run it by itself"
        case .initiatorExists: "the person who started it exists"
        case .initiatorEnabled: "the person's account is enabled"
        case .tenantEntitled: "the person has access to the tenant"
        case .grantCurrent: "it is the access that it was started under, and no freeze came since"
        case .capabilityHeld: "the person's role allows it"
        case .tenantOperable: "the tenant may be worked on"
        case .connectionExists: "the connection exists"
        case .connectionEnabled: "the connection is enabled"
        case .connectionScopeUnchanged: "the connection points to the same directory"
        case .credentialPresent: "a credential is set"
        case .writeGateOpen: "changes are switched on, with a good and recent check"
        }
    }
}
