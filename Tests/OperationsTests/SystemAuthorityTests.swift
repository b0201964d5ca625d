import Operations
import Testing

/// Operation × mode × origin × initiator: who may run what, with facts that would allow everything.
struct SystemAuthorityTests {
    /// The allowlist of design.md, literally.
    static let allowlist: Set = [
        "provider.connection.check", "compliance.snapshot", "inventory.sync", "policy.sync", "backup.run",
    ]

    @Test(arguments: OperationType.allCases, LegitimacyDecision.Phase.allCases)
    func `only the allowlisted run under the system, and only from a schedule without a person`(
        type: OperationType, phase: LegitimacyDecision.Phase
    ) {
        for (mode, origin, hasInitiator) in GateCases.authorities {
            var run = Sample.execution(type)
            run.context?.authorityMode = mode
            run.context?.origin = origin
            if !hasInitiator { run.initiatorID = nil }
            let denial = LegitimacyGate.decide(run, attempt: 1, phase: phase, facts: Sample.facts).denial
            let expected: DenialReason? =
                switch (mode, origin, hasInitiator) {
                case (.systemAuthority, .schedule, false):
                    Self.allowlist.contains(type.rawValue) ? nil : .systemOperationNotAllowed
                case (.systemAuthority, _, _): .systemOperationNotAllowed
                case (.actorBound, _, true): nil
                case (.actorBound, _, false): .initiatorMissing
                }
            #expect(denial == expected, "\(mode) \(origin) initiator: \(hasInitiator)")
        }
    }

    @Test(arguments: allowlist.sorted())
    func `the system needs no person's grant, and heeds everything else`(name: String) throws {
        let type = try #require(OperationType(rawValue: name))
        let run = Sample.execution(type, system: true)
        func denial(_ change: (inout AuthorityFacts, inout AuthorityFacts.Tenant) -> Void) -> DenialReason? {
            var facts = Sample.facts, tenant = Sample.tenantFact
            (facts.initiator, facts.entitlement) = (.missing, .missing)
            change(&facts, &tenant)
            if case .found = facts.tenant { facts.tenant = .found(tenant) }
            return LegitimacyGate.decide(run, attempt: 1, phase: .begin, facts: facts).denial
        }
        #expect(denial { _, _ in } == nil)
        #expect(denial { facts, _ in facts.entitlement = .unreadable } == nil)
        #expect(denial { _, tenant in tenant.freezeGeneration += 1 } == .grantSuperseded)
        #expect(denial { _, tenant in tenant.operability = .suspended } == .tenantSuspended)
        #expect(denial { _, tenant in tenant.workspaceID = Sample.otherWorkspace } == .workspaceMismatch)
        #expect(denial { _, tenant in tenant.writeGate.isOpen = false } == nil)
        #expect(denial { facts, _ in facts.connection = .missing } == .connectionMissing)
        #expect(denial { facts, _ in facts.tenant = .unreadable } == .authorityStoreUnavailable)
    }
}
