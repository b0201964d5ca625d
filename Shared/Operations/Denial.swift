/// The kinds of refusal, as people know them.
package enum DenialClass: String, Sendable, CaseIterable {
    case initiatorInvalid = "initiator_invalid"
    case scopeDenied = "scope_denied"
    case capabilityDenied = "capability_denied"
    case tenantNotOperable = "tenant_not_operable"
    case connectionInvalid = "connection_invalid"
    case writeGateDenied = "write_gate_denied"
    case systemAuthorityDenied = "system_authority_denied"
    case executionInvalid = "execution_invalid"
    case authorityUnavailable = "authority_unavailable"
}

/// Why the gate refused. Each reason has exactly one class, and is retryable or not.
package enum DenialReason: String, Sendable, CaseIterable {
    case initiatorMissing = "initiator_missing"
    case initiatorDisabled = "initiator_disabled"
    case workspaceMismatch = "workspace_mismatch"
    case scopeMismatch = "scope_mismatch"
    case tenantNotEntitled = "tenant_not_entitled"
    case grantSuperseded = "grant_superseded"
    case capabilityMissing = "capability_missing"
    case tenantArchived = "tenant_archived"
    case tenantSuspended = "tenant_suspended"
    case tenantOnboarding = "tenant_onboarding"
    case connectionMissing = "connection_missing"
    case connectionDisabled = "connection_disabled"
    case connectionScopeChanged = "connection_scope_changed"
    case credentialMissing = "credential_missing"
    case writeGateClosed = "write_gate_closed"
    case writeGateUnhealthy = "write_gate_unhealthy"
    case writeGateStale = "write_gate_stale"
    case systemOperationNotAllowed = "system_operation_not_allowed"
    case runExpired = "run_expired"
    case operationUnknown = "operation_unknown"
    case authorityStoreUnavailable = "authority_store_unavailable"

    /// The class it belongs to.
    package var denialClass: DenialClass {
        switch self {
        case .initiatorMissing, .initiatorDisabled: .initiatorInvalid
        case .workspaceMismatch, .scopeMismatch, .tenantNotEntitled, .grantSuperseded: .scopeDenied
        case .capabilityMissing: .capabilityDenied
        case .tenantArchived, .tenantSuspended, .tenantOnboarding: .tenantNotOperable
        case .connectionMissing, .connectionDisabled, .connectionScopeChanged, .credentialMissing:
            .connectionInvalid
        case .writeGateClosed, .writeGateUnhealthy, .writeGateStale: .writeGateDenied
        case .systemOperationNotAllowed: .systemAuthorityDenied
        case .runExpired, .operationUnknown: .executionInvalid
        case .authorityStoreUnavailable: .authorityUnavailable
        }
    }

    /// Whether the run stays queued and comes back by itself.
    package var isRetryable: Bool {
        switch self {
        case .tenantSuspended, .tenantOnboarding, .writeGateUnhealthy, .writeGateStale,
            .authorityStoreUnavailable:
            true
        case .initiatorMissing, .initiatorDisabled, .workspaceMismatch, .scopeMismatch, .tenantNotEntitled,
            .grantSuperseded, .capabilityMissing, .tenantArchived, .connectionMissing, .connectionDisabled,
            .connectionScopeChanged, .credentialMissing, .writeGateClosed, .systemOperationNotAllowed,
            .runExpired, .operationUnknown:
            false
        }
    }
}
