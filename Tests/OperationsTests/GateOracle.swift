import Operations

/// A second formulation of the gate, from design.md: what is wrong in a case, row by row. The first row that
/// applies is the answer.
enum GateOracle {
    typealias Row = (check: String, reason: DenialReason, applies: @Sendable (GateCase) -> Bool)

    static let rows: [Row] = [
        ("operation_known", .operationUnknown, { $0.operation == nil }),

        ("not_expired", .runExpired, { $0.phase != .call && $0.phase != .chunk && $0.isExpired }),

        ("scope_consistent", .scopeMismatch, { $0.context != .consistent }),

        ("workspace_unchanged", .authorityStoreUnavailable, { $0.tenant == .unreadable }),
        ("workspace_unchanged", .workspaceMismatch, { $0.tenant == .missing }),
        ("workspace_unchanged", .workspaceMismatch, { $0.movedToOtherWorkspace }),

        ("system_allowlisted", .systemOperationNotAllowed, { !$0.isActor && !readsOnly($0) }),
        ("system_allowlisted", .systemOperationNotAllowed, { !$0.isActor && $0.origin != .schedule }),
        ("system_allowlisted", .systemOperationNotAllowed, { !$0.isActor && $0.hasInitiator }),

        ("initiator_exists", .authorityStoreUnavailable, { $0.isActor && $0.initiator == .unreadable }),
        ("initiator_exists", .initiatorMissing, { $0.isActor && $0.initiator == .missing }),
        ("initiator_exists", .initiatorMissing, { $0.isActor && !$0.hasInitiator }),

        ("initiator_enabled", .initiatorDisabled, { $0.isActor && $0.isDisabled }),

        ("tenant_entitled", .authorityStoreUnavailable, { $0.isActor && $0.entitlement == .unreadable }),
        ("tenant_entitled", .tenantNotEntitled, { $0.isActor && $0.entitlement == .missing }),

        ("grant_current", .grantSuperseded, { $0.freeze != .same }),
        ("grant_current", .grantSuperseded, { $0.isActor && $0.grant != .same }),

        ("capability_held", .capabilityMissing, { $0.isActor && !mayStart($0) }),

        ("tenant_operable", .tenantOnboarding, { $0.operability == .onboarding }),
        ("tenant_operable", .tenantSuspended, { $0.operability == .suspended }),
        ("tenant_operable", .tenantArchived, { $0.operability == .archived }),

        ("connection_exists", .authorityStoreUnavailable, { $0.connection == .unreadable }),
        ("connection_exists", .connectionMissing, { $0.connection == .missing }),
        ("connection_exists", .connectionMissing, { $0.connectionIsOfOtherTenant }),

        ("connection_enabled", .connectionDisabled, { !$0.connectionIsEnabled }),

        ("connection_scope_unchanged", .connectionScopeChanged, { $0.directoryChanged }),

        ("credential_present", .credentialMissing, { !$0.hasCredential }),

        ("write_gate_open", .writeGateClosed, { !readsOnly($0) && !$0.gateIsOpen }),
        ("write_gate_open", .writeGateStale, { !readsOnly($0) && $0.proof != .fresh }),
        ("write_gate_open", .writeGateUnhealthy, { !readsOnly($0) && !$0.proofIsHealthy }),
    ]

    /// The order of the checks, literally.
    static let order = [
        "operation_known", "not_expired", "scope_consistent", "workspace_unchanged", "system_allowlisted",
        "initiator_exists", "initiator_enabled", "tenant_entitled", "grant_current", "capability_held",
        "tenant_operable", "connection_exists", "connection_enabled", "connection_scope_unchanged",
        "credential_present", "write_gate_open",
    ]

    static let actorChecks: Set = [
        "initiator_exists", "initiator_enabled", "tenant_entitled", "capability_held",
    ]

    /// What the gate must answer: nil when nothing is wrong.
    static func verdict(on one: GateCase) -> Row? { rows.first { $0.applies(one) } }

    /// Whether a check that did not fail concerns the run at all.
    static func concerns(_ check: String, _ one: GateCase) -> Bool {
        switch check {
        case "not_expired": one.phase != .call && one.phase != .chunk
        case "system_allowlisted": !one.isActor
        case "write_gate_open": !readsOnly(one)
        default: one.isActor || !actorChecks.contains(check)
        }
    }

    private static func readsOnly(_ one: GateCase) -> Bool {
        switch one.operation {
        case .connectionCheck, .complianceSnapshot, .inventorySync, .policySync, .backupRun: true
        case .restoreExecute, .restoreAssignments, .policyBulkAssign, .policyBulkDelete, .deviceBulkSync,
            nil:
            false
        }
    }

    /// Owner and manager start everything; the operator what only reads; who only looks, nothing.
    private static func mayStart(_ one: GateCase) -> Bool {
        switch one.role {
        case .owner, .manager: true
        case .operator: readsOnly(one)
        case .readonly: false
        }
    }
}
