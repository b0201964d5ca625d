import FoundationEssentials
import Operations

/// One situation that the gate can be in, in words of its own: the oracle reads these words, and the gate the
/// values that they are turned into.
struct GateCase: Hashable, Sendable {
    enum Presence: Hashable, CaseIterable, Sendable { case found, missing, unreadable }
    enum Context: Hashable, CaseIterable, Sendable {
        case consistent, unreadable, otherWorkspace, otherTenant, otherConnection, otherCapability
    }
    enum Grant: Hashable, CaseIterable, Sendable { case same, other, notWritten }
    enum Freeze: Hashable, CaseIterable, Sendable { case same, raised, lowered }
    enum Proof: Hashable, CaseIterable, Sendable { case fresh, stale, never }

    // The run.
    /// Nil for a name that the catalogue does not know.
    var operation: OperationType?
    var phase = LegitimacyDecision.Phase.begin
    var isExpired = false
    var context = Context.consistent
    var mode = AuthorityMode.actorBound
    var origin = StartOrigin.person
    var hasInitiator = true
    // The person.
    var initiator = Presence.found
    var isDisabled = false
    var entitlement = Presence.found
    var grant = Grant.same
    var role = Role.owner
    // The tenant.
    var tenant = Presence.found
    var movedToOtherWorkspace = false
    var operability = AuthorityFacts.Operability.operable
    var freeze = Freeze.same
    var gateIsOpen = true
    var proof = Proof.fresh
    var proofIsHealthy = true
    // The connection.
    var connection = Presence.found
    var connectionIsOfOtherTenant = false
    var connectionIsEnabled = true
    var directoryChanged = false
    var hasCredential = true

    /// A case in which nothing is wrong.
    static func legitimate(_ operation: OperationType, system: Bool) -> GateCase {
        var legitimate = GateCase(operation: operation)
        if system {
            legitimate.mode = .systemAuthority
            legitimate.origin = .schedule
            legitimate.hasInitiator = false
            legitimate.initiator = .missing
            legitimate.entitlement = .missing
        }
        return legitimate
    }

    var isActor: Bool { mode == .actorBound }

    /// The run that the gate is asked about.
    var execution: QueuedExecution {
        QueuedExecution(
            runID: Sample.run, operation: operation?.rawValue ?? "tenant.explode",
            workspaceID: Sample.workspace, tenantID: Sample.tenant, connectionID: Sample.connection,
            initiatorID: hasInitiator ? Sample.user : nil,
            expiresAt: Sample.now.addingTimeInterval(isExpired ? -1 : 1), context: writtenContext)
    }

    private var writtenContext: QueuedExecutionContext? {
        guard context != .unreadable else { return nil }
        var written = Sample.context(operation ?? .inventorySync)
        written.authorityMode = mode
        written.origin = origin
        written.grantID = grant == .notWritten ? nil : Sample.grant
        if context == .otherWorkspace { written.workspaceID = Sample.otherWorkspace }
        if context == .otherTenant { written.tenantID = Sample.otherTenant }
        if context == .otherConnection { written.connectionID = Sample.otherConnection }
        if context == .otherCapability { written.requiredCapability = .providerView }
        return written
    }

    /// What the database says in this case.
    var facts: AuthorityFacts {
        AuthorityFacts(
            initiator: fact(initiator, .init(isDisabled: isDisabled)),
            entitlement: fact(
                entitlement, .init(grantID: grant == .other ? Sample.otherGrant : Sample.grant, role: role)),
            tenant: fact(tenant, tenantFact),
            connection: fact(
                connection,
                .init(
                    tenantID: connectionIsOfOtherTenant ? Sample.otherTenant : Sample.tenant,
                    isEnabled: connectionIsEnabled,
                    entraTenantID: directoryChanged ? Sample.otherDirectory : Sample.directory,
                    hasCredential: hasCredential)),
            readAt: Sample.now)
    }

    private var tenantFact: AuthorityFacts.Tenant {
        let age: TimeInterval? =
            switch proof {
            case .never: nil
            case .fresh: 86_400
            case .stale: 86_401
            }
        let generation =
            switch freeze {
            case .same: 4
            case .raised: 5
            case .lowered: 3
            }
        return .init(
            workspaceID: movedToOtherWorkspace ? Sample.otherWorkspace : Sample.workspace,
            operability: operability, authorityEpoch: 9, freezeGeneration: generation,
            writeGate: .init(
                isOpen: gateIsOpen, checkedAt: age.map { Sample.now.addingTimeInterval(-$0) },
                isHealthy: proofIsHealthy, limitSeconds: 86_400))
    }

    private func fact<Value>(_ presence: Presence, _ value: Value) -> Fact<Value> {
        switch presence {
        case .found: .found(value)
        case .missing: .missing
        case .unreadable: .unreadable
        }
    }
}
