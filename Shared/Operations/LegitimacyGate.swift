internal import FoundationEssentials

/// Proof that the gate allowed one attempt of a run to execute. Only the gate makes one (H3), and no handler
/// can be called without it.
package struct ExecutionPermit: Sendable {
    /// The run as it was queued.
    package let execution: QueuedExecution
    /// What it does.
    package let definition: OperationDefinition
    /// The chunk of a divided run that it is for; nil when it is for the run itself.
    package let chunk: Int?
    /// The attempt that was allowed: the chunk's own where it is for one.
    package let attempt: Int

    fileprivate init(
        execution: QueuedExecution, definition: OperationDefinition, chunk: Int? = nil, attempt: Int
    ) {
        self.execution = execution
        self.definition = definition
        self.chunk = chunk
        self.attempt = attempt
    }
}

/// Proof that the gate allowed one provider call under an execution permit. The store turns it into a call
/// permit by committing it; nothing else accepts it.
package struct AllowedCall: Sendable {
    /// The permit that it was asked under.
    package let execution: ExecutionPermit

    fileprivate init(execution: ExecutionPermit) { self.execution = execution }
}

/// What the gate answers: a permit, or a refusal; the record of the decision in either case.
package enum Ruling<Permit: Sendable>: Sendable {
    case allowed(Permit, LegitimacyDecision)
    case denied(DenialReason, LegitimacyDecision)

    /// The decision, whatever it was.
    package var decision: LegitimacyDecision {
        switch self {
        case .allowed(_, let decision), .denied(_, let decision): decision
        }
    }
}

/// The one gate: decides from values, whether queued work may execute, and whether it may make a call.
///
/// It has no state, no clock and no access to anything. Whoever asks must read the facts in the same
/// transaction that acts on the answer (H2, H4).
package enum LegitimacyGate {
    /// Raised with every change of a check, its order or its reason; stored with each decision.
    package static let policyVersion = 1

    /// May this attempt of a queued run begin?
    package static func rule(
        on execution: QueuedExecution, attempt: Int, facts: AuthorityFacts
    ) -> Ruling<ExecutionPermit> {
        let decision = decide(execution, attempt: attempt, phase: .begin, facts: facts)
        if let reason = decision.denial { return .denied(reason, decision) }
        let definition = OperationCatalogue.definition(named: execution.operation)!
        return .allowed(
            ExecutionPermit(execution: execution, definition: definition, attempt: attempt), decision)
    }

    /// May this attempt of a chunk begin? Its run executes already.
    package static func rule(
        onChunk chunk: Int, of execution: QueuedExecution, attempt: Int, facts: AuthorityFacts
    ) -> Ruling<ExecutionPermit> {
        let decision = decide(execution, attempt: attempt, phase: .chunk, facts: facts)
        if let reason = decision.denial { return .denied(reason, decision) }
        let definition = OperationCatalogue.definition(named: execution.operation)!
        return .allowed(
            ExecutionPermit(execution: execution, definition: definition, chunk: chunk, attempt: attempt),
            decision)
    }

    /// May a run that is executing make a provider call now?
    package static func ruleOnCall(
        under permit: ExecutionPermit, facts: AuthorityFacts
    ) -> Ruling<AllowedCall> {
        let decision = decide(permit.execution, attempt: permit.attempt, phase: .call, facts: facts)
        if let reason = decision.denial { return .denied(reason, decision) }
        return .allowed(AllowedCall(execution: permit), decision)
    }

    /// The negative control of the revocation test: leave to call under a permit that was once given, without
    /// looking at the present. No service may name it; a check in `scripts/test` sees to that.
    package static func allowWithoutAsking(_ permit: ExecutionPermit) -> AllowedCall {
        AllowedCall(execution: permit)
    }

    /// The decision alone, without a permit: for the start gate, for replays, and for «would it pass now».
    package static func decide(
        _ execution: QueuedExecution, attempt: Int, phase: LegitimacyDecision.Phase, facts: AuthorityFacts
    ) -> LegitimacyDecision {
        var results: [CheckResult] = []
        var denial: DenialReason?
        for check in LegitimacyCheck.allCases {
            let result = perform(check, on: execution, phase: phase, facts: facts)
            results.append(result)
            if case .failed(let reason) = result {
                denial = reason
                break
            }
        }
        return LegitimacyDecision(
            execution: execution, attempt: attempt, phase: phase, facts: facts, results: results,
            denial: denial, policyVersion: policyVersion)
    }

    // MARK: the checks

    private static func perform(
        _ check: LegitimacyCheck, on run: QueuedExecution, phase: LegitimacyDecision.Phase,
        facts: AuthorityFacts
    ) -> CheckResult {
        switch check {
        case .operationKnown:
            return require(
                OperationCatalogue.definition(named: run.operation) != nil, else: .operationUnknown)
        case .notExpired:
            // What runs may take longer than what waits: the limit is one of the queue.
            return phase == .call || phase == .chunk
                ? .notApplicable : require(facts.readAt < run.expiresAt, else: .runExpired)
        case .scopeConsistent:
            return require(isConsistent(run), else: .scopeMismatch)
        case .workspaceUnchanged:
            return with(facts.tenant, missing: .workspaceMismatch) {
                require($0.workspaceID == run.workspaceID, else: .workspaceMismatch)
            }
        case .systemAllowlisted:
            return systemAllowlisted(run)
        case .initiatorExists:
            return actorBound(run) {
                with(facts.initiator, missing: .initiatorMissing) { _ in
                    require(run.initiatorID != nil, else: .initiatorMissing)
                }
            }
        case .initiatorEnabled:
            return actorBound(run) {
                with(facts.initiator, missing: .initiatorMissing) {
                    require(!$0.isDisabled, else: .initiatorDisabled)
                }
            }
        case .tenantEntitled:
            return actorBound(run) {
                with(facts.entitlement, missing: .tenantNotEntitled) { _ in .passed }
            }
        case .grantCurrent:
            return grantCurrent(run, facts)
        case .capabilityHeld:
            return capabilityHeld(run, facts)
        case .tenantOperable:
            return with(facts.tenant, missing: .tenantNotEntitled) { operable($0.operability) }
        case .connectionExists:
            return with(facts.connection, missing: .connectionMissing) {
                require($0.tenantID == run.tenantID, else: .connectionMissing)
            }
        case .connectionEnabled:
            return with(facts.connection, missing: .connectionMissing) {
                require($0.isEnabled, else: .connectionDisabled)
            }
        case .connectionScopeUnchanged:
            return with(facts.connection, missing: .connectionMissing) {
                require($0.entraTenantID == run.context?.entraTenantID, else: .connectionScopeChanged)
            }
        case .credentialPresent:
            return with(facts.connection, missing: .connectionMissing) {
                require($0.hasCredential, else: .credentialMissing)
            }
        case .writeGateOpen:
            return writeGateOpen(run, facts)
        }
    }

    private static func require(_ condition: Bool, else reason: DenialReason) -> CheckResult {
        condition ? .passed : .failed(reason)
    }

    /// A missing fact is a denial; an unreadable one is a retryable denial (H11).
    private static func with<Value>(
        _ fact: Fact<Value>, missing reason: DenialReason, _ check: (Value) -> CheckResult
    ) -> CheckResult {
        switch fact {
        case .found(let value): check(value)
        case .missing: .failed(reason)
        case .unreadable: .failed(.authorityStoreUnavailable)
        }
    }

    private static func actorBound(_ run: QueuedExecution, _ check: () -> CheckResult) -> CheckResult {
        run.context?.authorityMode == .actorBound ? check() : .notApplicable
    }

    private static func isConsistent(_ run: QueuedExecution) -> Bool {
        guard let context = run.context,
            let definition = OperationCatalogue.definition(named: run.operation)
        else { return false }
        return context.workspaceID == run.workspaceID
            && context.tenantID == run.tenantID
            && context.connectionID == run.connectionID
            && context.requiredCapability == definition.capability
    }

    private static func systemAllowlisted(_ run: QueuedExecution) -> CheckResult {
        guard run.context?.authorityMode == .systemAuthority else { return .notApplicable }
        let definition = OperationCatalogue.definition(named: run.operation)
        let isAllowed =
            definition?.systemMayRun == true && run.context?.origin == .schedule && run.initiatorID == nil
        return require(isAllowed, else: .systemOperationNotAllowed)
    }

    private static func grantCurrent(_ run: QueuedExecution, _ facts: AuthorityFacts) -> CheckResult {
        let unfrozen = with(facts.tenant, missing: .tenantNotEntitled) {
            require($0.freezeGeneration == run.context?.freezeGeneration, else: .grantSuperseded)
        }
        guard unfrozen == .passed, run.context?.authorityMode == .actorBound else { return unfrozen }
        return with(facts.entitlement, missing: .tenantNotEntitled) {
            require($0.grantID == run.context?.grantID, else: .grantSuperseded)
        }
    }

    private static func capabilityHeld(_ run: QueuedExecution, _ facts: AuthorityFacts) -> CheckResult {
        actorBound(run) {
            with(facts.entitlement, missing: .tenantNotEntitled) { entitlement in
                let definition = OperationCatalogue.definition(named: run.operation)
                let holds = definition.map { entitlement.role.holds($0.capability) } ?? false
                return require(holds, else: .capabilityMissing)
            }
        }
    }

    private static func operable(_ operability: AuthorityFacts.Operability) -> CheckResult {
        switch operability {
        case .operable: .passed
        case .onboarding: .failed(.tenantOnboarding)
        case .suspended: .failed(.tenantSuspended)
        case .archived: .failed(.tenantArchived)
        }
    }

    private static func writeGateOpen(_ run: QueuedExecution, _ facts: AuthorityFacts) -> CheckResult {
        guard OperationCatalogue.definition(named: run.operation)?.effect == .write else {
            return .notApplicable
        }
        return with(facts.tenant, missing: .tenantNotEntitled) { tenant in
            let gate = tenant.writeGate
            guard gate.isOpen else { return .failed(.writeGateClosed) }
            guard let checkedAt = gate.checkedAt,
                facts.readAt.timeIntervalSince(checkedAt) <= Double(gate.limitSeconds)
            else { return .failed(.writeGateStale) }
            return require(gate.isHealthy, else: .writeGateUnhealthy)
        }
    }
}
