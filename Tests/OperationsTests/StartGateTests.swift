import FoundationEssentials
import Fixtures
import JSON
import Operations
import Testing

/// The answers at the door.
struct StartGateTests {
    enum Answer: Hashable {
        case accepted, duplicate(RunID), busy(RunID, String), refused(StartRefusal)
    }

    private static func request(
        _ operation: String = "policy.sync", system: Bool = false, wait: Int? = nil
    ) -> StartRequest {
        StartRequest(
            operation: operation, connectionID: Sample.connection,
            parameters: OperationType(rawValue: operation).flatMap(sampleParameters),
            initiatorID: system ? nil : Sample.user, origin: system ? .schedule : .person,
            idempotencyKey: "k", waitLimitSeconds: wait,
            traceparent: Sample.traceparent)
    }

    private static func facts(
        active: String? = nil, parameters: JSON? = nil, _ change: (inout AuthorityFacts) -> Void = { _ in }
    ) -> StartFacts {
        var authority = Sample.facts
        change(&authority)
        return StartFacts(
            workspaceID: Sample.workspace, tenantID: Sample.tenant, entraTenantID: Sample.directory,
            entraTenantName: "Contoso", authority: authority,
            activeRun: active.map {
                let least = OperationType(rawValue: $0).flatMap(sampleParameters)
                return (id: Sample.activeRun, operation: $0, parameters: parameters ?? least)
            })
    }

    private static func answer(
        _ request: StartRequest, _ facts: StartFacts?,
        families: Set<OperationFamily> = Set(OperationFamily.allCases)
    ) -> Answer {
        let answer = StartGate.answer(
            request, facts: facts, families: families, runID: Sample.run, now: Sample.now)
        return switch answer {
        case .accepted: .accepted
        case .duplicate(let id): .duplicate(id)
        case .busy(let id, let operation): .busy(id, operation)
        case .refused(let refusal): .refused(refusal)
        }
    }

    @Test(arguments: OperationType.allCases)
    func `what is accepted is the run as the gate will read it`(type: OperationType) throws {
        for isSystem in [false, true] where !isSystem || OperationCatalogue.definition(type).systemMayRun {
            let answer = StartGate.answer(
                Self.request(type.rawValue, system: isSystem), facts: Self.facts(),
                families: [
                    .provider,
                    .inventory, .restore, .bulk,
                ], runID: Sample.run, now: Sample.now)
            guard case .accepted(let run, let definition) = answer else {
                Issue.record("a legitimate request was not accepted")
                return
            }
            #expect(definition.type == type)
            var expected = Sample.execution(type, system: isSystem)
            expected.expiresAt = Sample.now.addingTimeInterval(86_400)
            expected.parameters = try RunParameters.accept(sampleParameters(type), for: type)
            #expect(run.execution == expected)
            #expect(run.state == .queued)
            #expect(run.attempt == 1)
            #expect(run.queuedAt == Sample.now)
            #expect(run.waitReason == nil)
            #expect(!run.cancelRequested)
            #expect(run.traceparent == Sample.traceparent)
            let later = LegitimacyGate.decide(run.execution, attempt: 1, phase: .begin, facts: Sample.facts)
            #expect(later.isAllowed)
        }
    }

    enum Firing: Hashable {
        case queued, blocked(DenialReason), postponed(FiringAnswer.Obstacle)
    }

    private static func firing(
        _ request: StartRequest, _ facts: StartFacts,
        families: Set<OperationFamily> = Set(OperationFamily.allCases)
    ) -> Firing {
        let answer = StartGate.firing(
            request, facts: facts, families: families, runID: Sample.run, now: Sample.now)
        switch answer {
        case .queued(let run, _):
            #expect(run.state == .queued)
            return .queued
        case .blocked(let run, let decision, let reason):
            #expect(run.state == .queued)
            #expect(decision.denial == reason)
            return .blocked(reason)
        case .postponed(let obstacle): return .postponed(obstacle)
        }
    }

    @Test func `a due moment is queued, blocked or postponed`() {
        let suspended = Self.facts { facts in
            var tenant = Sample.tenantFact
            tenant.operability = .suspended
            facts.tenant = .found(tenant)
        }
        let nobody = Self.facts { $0.entitlement = .missing }
        #expect(Self.firing(Self.request(), Self.facts()) == .queued)
        #expect(Self.firing(Self.request(system: true), Self.facts()) == .queued)
        #expect(Self.firing(Self.request(), suspended) == .queued)
        #expect(Self.firing(Self.request(), nobody) == .blocked(.tenantNotEntitled))
        #expect(Self.firing(Self.request(system: true), nobody) == .queued)
        #expect(
            Self.firing(Self.request("restore.execute", system: true), Self.facts())
                == .blocked(.systemOperationNotAllowed))
        for active in ["policy.sync", "backup.run"] {
            #expect(Self.firing(Self.request(), Self.facts(active: active)) == .postponed(.connectionBusy))
        }
        // A refusal takes no room on the connection: it need not wait.
        var busy = nobody
        busy.activeRun = (id: Sample.activeRun, operation: "backup.run", parameters: nil)
        #expect(Self.firing(Self.request(), busy) == .blocked(.tenantNotEntitled))
        #expect(
            Self.firing(Self.request(), Self.facts(), families: [.provider])
                == .postponed(.operationUnavailable))
        #expect(Self.firing(Self.request("tea.make"), Self.facts()) == .postponed(.operationUnknown))
        // The same question without a run.
        #expect(
            StartGate.obstacle(Self.request(), facts: Self.facts(active: "backup.run"), now: Sample.now)
                == nil)
        #expect(StartGate.obstacle(Self.request(), facts: nobody, now: Sample.now) == .tenantNotEntitled)
        #expect(StartGate.obstacle(Self.request(), facts: suspended, now: Sample.now) == .tenantSuspended)
        #expect(
            StartGate.obstacle(Self.request("tea.make"), facts: Self.facts(), now: Sample.now)
                == .operationUnknown)
    }

    /// P015: the same operation gives its run, another one is told which run is in the way.
    @Test(arguments: OperationType.allCases, OperationType.allCases)
    func `an active run is found or in the way`(asked: OperationType, active: OperationType) {
        let answer = Self.answer(
            Self.request(asked.rawValue),
            Self.facts(active: active.rawValue, parameters: sampleParameters(active)))
        #expect(
            answer
                == (asked == active
                    ? .duplicate(Sample.activeRun) : .busy(Sample.activeRun, active.rawValue)))
    }

    @Test func `other parameters are another thing to ask for`() {
        let kinds: JSON = ["kinds": ["device_script", "scope_tag"]]
        var request = Self.request("backup.run")
        #expect(Self.answer(request, Self.facts(active: "backup.run")) == .duplicate(Sample.activeRun))
        #expect(
            Self.answer(request, Self.facts(active: "backup.run", parameters: kinds))
                == .busy(Sample.activeRun, "backup.run"))
        request.parameters = ["kinds": ["scope_tag", "device_script"]]
        #expect(
            Self.answer(request, Self.facts(active: "backup.run", parameters: kinds))
                == .duplicate(Sample.activeRun))
        #expect(
            Self.answer(request, Self.facts(active: "backup.run")) == .busy(Sample.activeRun, "backup.run"))
    }

    @Test func `faulty parameters are refused before anything is said about the place`() {
        var request = Self.request("inventory.sync")
        request.parameters = ["kinds": ["device_script"]]
        let fault = RunParameters.Fault(pointer: "/kinds", detail: "is not known here")
        #expect(Self.answer(request, nil) == .refused(.parametersInvalid([fault])))
        #expect(Self.answer(request, Self.facts()) == .refused(.parametersInvalid([fault])))
    }

    @Test func `accepted parameters go with the run, in one form`() throws {
        var request = Self.request("backup.run")
        request.parameters = ["kinds": ["scope_tag", "device_script"]]
        let answer = StartGate.answer(
            request, facts: Self.facts(), families: [.inventory], runID: Sample.run, now: Sample.now)
        guard case .accepted(let run, _) = answer else {
            Issue.record("a legitimate request was not accepted")
            return
        }
        #expect(run.execution.parameters == ["kinds": ["device_script", "scope_tag"]])
    }

    @Test(arguments: ["", "policy.Sync", "policy.sync ", "tenant.explode", "*", "policy"])
    func `an operation that is none of ours is unknown, whoever asks`(name: String) {
        #expect(Self.answer(Self.request(name), Self.facts()) == .refused(.operationUnknown))
        #expect(Self.answer(Self.request(name), nil) == .refused(.operationUnknown))
    }

    @Test(arguments: OperationType.allCases)
    func `an operation that nobody executes is unavailable`(type: OperationType) {
        let family = OperationCatalogue.definition(type).family
        let others = Set(OperationFamily.allCases).subtracting([family])
        let request = Self.request(type.rawValue)
        #expect(Self.answer(request, Self.facts(), families: others) == .refused(.operationUnavailable))
        #expect(Self.answer(request, Self.facts(), families: []) == .refused(.operationUnavailable))
        #expect(Self.answer(request, Self.facts(), families: [family]) == .accepted)
    }

    // MARK: who may know what

    static let strangers: [@Sendable (inout AuthorityFacts) -> Void] = [
        { $0.entitlement = .missing }, { $0.initiator = .missing },
        { $0.initiator = .found(.init(isDisabled: true)) }, { $0.tenant = .missing },
        {
            var tenant = Sample.tenantFact
            tenant.workspaceID = Sample.otherWorkspace
            $0.tenant = .found(tenant)
        },
    ]

    /// H14: whatever a stranger asks for, the connection could as well not exist.
    @Test(arguments: strangers.indices)
    func `a stranger learns nothing`(index: Int) {
        for type in OperationType.allCases {
            for wait in [nil, 1, 86_400, 0, -1, 86_401, Int.max] as [Int?] {
                let request = Self.request(type.rawValue, wait: wait)
                let nothing = Self.answer(request, nil)
                for active in [nil, type.rawValue, "backup.run"] as [String?] {
                    let facts = Self.facts(active: active) { facts in
                        // What else is wrong is not told either.
                        facts.connection = .missing
                        Self.strangers[index](&facts)
                    }
                    #expect(Self.answer(request, facts) == nothing)
                }
            }
        }
        #expect(Self.answer(Self.request(), Self.facts(Self.strangers[index])) == .refused(.notFound))
    }

    private static func facts(_ change: (inout AuthorityFacts) -> Void) -> StartFacts {
        facts(active: nil, change)
    }

    @Test(arguments: OperationType.allCases, Role.allCases)
    func `who is entitled and lacks the capability is told which`(type: OperationType, role: Role) {
        let capability = OperationCatalogue.definition(type).capability
        let facts = Self.facts(active: "provider.connection.check") {
            $0.entitlement = .found(.init(grantID: Sample.grant, role: role))
            $0.connection = .missing
        }
        let expected: StartRefusal =
            role.holds(capability) ? .denied(.connectionMissing) : .forbidden(capability)
        #expect(Self.answer(Self.request(type.rawValue), facts) == .refused(expected))
    }

    // MARK: what the gate would refuse

    static let denials: [(reason: DenialReason, change: @Sendable (inout GateCase) -> Void)] = [
        (.tenantArchived, { $0.operability = .archived }),
        (.tenantSuspended, { $0.operability = .suspended }),
        (.tenantOnboarding, { $0.operability = .onboarding }),
        (.connectionMissing, { $0.connection = .missing }),
        (.connectionMissing, { $0.connectionIsOfOtherTenant = true }),
        (.connectionDisabled, { $0.connectionIsEnabled = false }),
        (.connectionScopeChanged, { $0.directoryChanged = true }),
        (.credentialMissing, { $0.hasCredential = false }), (.writeGateClosed, { $0.gateIsOpen = false }),
        (.writeGateStale, { $0.proof = .never }), (.writeGateStale, { $0.proof = .stale }),
        (.writeGateUnhealthy, { $0.proofIsHealthy = false }),
        (.authorityStoreUnavailable, { $0.tenant = .unreadable }),
        (.authorityStoreUnavailable, { $0.entitlement = .unreadable }),
        (.authorityStoreUnavailable, { $0.initiator = .unreadable }),
        (.authorityStoreUnavailable, { $0.connection = .unreadable }),
    ]

    /// An active run does not hide it: what can't run now is not queued behind anything.
    @Test(arguments: denials.indices, [nil, "restore.execute", "backup.run"])
    func `is refused with the gate's reason`(index: Int, active: String?) {
        var one = GateCase.legitimate(.restoreExecute, system: false)
        Self.denials[index].change(&one)
        let facts = Self.facts(active: active) { $0 = one.facts }
        let reason = Self.denials[index].reason
        #expect(Self.answer(Self.request("restore.execute"), facts) == .refused(.denied(reason)))
    }

    @Test(arguments: OperationType.allCases, StartOrigin.allCases)
    func `nobody stands for the system but its schedule`(type: OperationType, origin: StartOrigin) {
        var request = Self.request(type.rawValue, system: true)
        request.origin = origin
        let isAllowed = origin == .schedule && SystemAuthorityTests.allowlist.contains(type.rawValue)
        let expected: Answer = isAllowed ? .accepted : .refused(.denied(.systemOperationNotAllowed))
        #expect(Self.answer(request, Self.facts()) == expected)
    }

    // MARK: limits

    @Test(
        arguments: [
            (1, true), (2, true), (86_399, true), (86_400, true), (nil, true), (0, false), (-1, false),
            (86_401, false), (Int.max, false), (Int.min, false),
        ] as [(Int?, Bool)])
    func `the waiting time is limited`(wait: Int?, isAllowed: Bool) {
        let answer = StartGate.answer(
            Self.request(wait: wait), facts: Self.facts(), families: [.inventory], runID: Sample.run,
            now: Sample.now)
        switch answer {
        case .accepted(let run, _):
            #expect(isAllowed)
            #expect(run.execution.expiresAt == Sample.now.addingTimeInterval(Double(wait ?? 86_400)))
        case .refused(let refusal):
            #expect(!isAllowed)
            #expect(refusal == .waitLimitInvalid(allowed: 1...86_400))
        case .duplicate, .busy: Issue.record("nothing is active")
        }
    }
}
