/// The gate's checks, in the order in which they are made. The first that fails decides.
///
/// The order goes from the run itself, over who asked, to where it would act: a person learns the most
/// fundamental obstacle first, and nothing about a tenant that he may not know of.
package enum LegitimacyCheck: String, Sendable, CaseIterable {
    /// The stored name is in the catalogue.
    case operationKnown = "operation_known"
    /// The run has not waited longer than its limit.
    case notExpired = "not_expired"
    /// The context that the start wrote is readable and agrees with the run's row and the catalogue.
    case scopeConsistent = "scope_consistent"
    /// The tenant still belongs to the workspace that the run was queued in.
    case workspaceUnchanged = "workspace_unchanged"
    /// System authority: the operation is on the allowlist and came from a schedule.
    case systemAllowlisted = "system_allowlisted"
    /// Actor: the initiator still exists.
    case initiatorExists = "initiator_exists"
    /// Actor: the initiator is not disabled.
    case initiatorEnabled = "initiator_enabled"
    /// Actor: the initiator holds a grant on the tenant.
    case tenantEntitled = "tenant_entitled"
    /// Actor: it is the same grant that the run was queued under. Everyone: no freeze came since.
    case grantCurrent = "grant_current"
    /// Actor: the grant's role holds the operation's capability.
    case capabilityHeld = "capability_held"
    /// The tenant may be worked on.
    case tenantOperable = "tenant_operable"
    /// The connection exists in the tenant.
    case connectionExists = "connection_exists"
    /// The connection is enabled.
    case connectionEnabled = "connection_enabled"
    /// The connection points to the same directory as at the start.
    case connectionScopeUnchanged = "connection_scope_unchanged"
    /// A credential is set.
    case credentialPresent = "credential_present"
    /// Changes: the write gate is open, and its proof is good and fresh.
    case writeGateOpen = "write_gate_open"
}

/// What one check came to.
package enum CheckResult: Sendable, Hashable {
    case passed
    /// Does not concern this run: a system run has no initiator, a read no write gate.
    case notApplicable
    case failed(DenialReason)
}
