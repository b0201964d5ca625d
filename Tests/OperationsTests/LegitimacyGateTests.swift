import FoundationEssentials
import JSON
import Operations
import Testing

/// The gate against its oracle, over every enumerated case.
struct LegitimacyGateTests {
    static let blocks: [(name: String, cases: [GateCase])] = [
        ("runs", GateCases.runs), ("facts", GateCases.facts), ("pairs", GateCases.pairs),
    ]

    @Test(arguments: blocks.indices)
    func `each case is decided by the first check that fails, and again from its record`(block: Int) {
        let (name, cases) = Self.blocks[block]
        for (index, one) in cases.enumerated() {
            let decision = Self.decide(one)
            guard Self.agrees(decision, with: GateOracle.verdict(on: one), one) else {
                Issue.record("\(name): \(one) gave \(decision.results)")
                return
            }
            // By way of its text only now and then, which takes most of the time.
            let record = index % 16 == 0 ? try? JSON(parsing: decision.json.bytes) : decision.json
            guard let record, Self.replay(record) == decision else {
                Issue.record("\(name): \(one) is replayed in another way")
                return
            }
        }
        print("\(name): \(cases.count) cases")
    }

    private static func decide(_ one: GateCase) -> LegitimacyDecision {
        LegitimacyGate.decide(one.execution, attempt: 2, phase: one.phase, facts: one.facts)
    }

    /// The results end with the check that failed; all before it passed, or did not concern the run.
    private static func agrees(
        _ decision: LegitimacyDecision, with verdict: GateOracle.Row?, _ one: GateCase
    ) -> Bool {
        let failed = verdict.map { GateOracle.order.firstIndex(of: $0.check)! }
        return decision.denial == verdict?.reason && decision.isAllowed == (verdict == nil)
            && decision.results.count == (failed.map { $0 + 1 } ?? GateOracle.order.count)
            && zip(GateOracle.order, decision.results).allSatisfy { check, result in
                if let verdict, check == verdict.check { return result == .failed(verdict.reason) }
                return result == (GateOracle.concerns(check, one) ? .passed : .notApplicable)
            }
    }

    /// The same decision again, from nothing but what was stored of it.
    private static func replay(_ record: JSON) -> LegitimacyDecision? {
        guard let execution = record["run"].flatMap(QueuedExecution.init(json:)),
            let facts = record["facts"].flatMap(AuthorityFacts.init(json:)),
            let attempt = record["attempt"]?.integer,
            let phase = record["phase"]?.string.flatMap(LegitimacyDecision.Phase.init)
        else { return nil }
        return LegitimacyGate.decide(execution, attempt: attempt, phase: phase, facts: facts)
    }

    @Test func `every reason is reached, and every check refuses something`() {
        var reasons: Set<DenialReason?> = []
        var lengths: Set<Int> = []
        for one in GateCases.pairs {
            let decision = Self.decide(one)
            reasons.insert(decision.denial)
            if !decision.isAllowed { lengths.insert(decision.results.count) }
        }
        #expect(reasons == Set(DenialReason.allCases.map(Optional.some) + [nil]))
        #expect(lengths == Set(1...16))
    }

    @Test func `the checks are made in this order`() {
        #expect(LegitimacyCheck.allCases.map(\.rawValue) == GateOracle.order)
    }

    /// H11: a fact that was not found or not readable never helps.
    @Test(arguments: OperationType.allCases, LegitimacyDecision.Phase.allCases)
    func `no fact that concerns a run may be absent`(type: OperationType, phase: LegitimacyDecision.Phase) {
        for isSystem in [false, true] where !isSystem || OperationCatalogue.definition(type).systemMayRun {
            var legitimate = GateCase.legitimate(type, system: isSystem)
            legitimate.phase = phase
            #expect(Self.decide(legitimate).isAllowed)
            let all: [WritableKeyPath<GateCase, GateCase.Presence>] = [
                \.tenant, \.connection, \.initiator, \.entitlement,
            ]
            for fact in isSystem ? all.prefix(2) : all[...] {
                var missing = legitimate, unreadable = legitimate
                missing[keyPath: fact] = .missing
                unreadable[keyPath: fact] = .unreadable
                #expect(Self.decide(missing).denial?.isRetryable == false)
                #expect(Self.decide(unreadable).denial == .authorityStoreUnavailable)
            }
        }
    }

    @Test func `limits of time are exact`() {
        let run = Sample.execution(.restoreExecute)
        let microsecond = 0.000_001
        func denial(
            readAt: Date = Sample.now, checkedAt: Date = Sample.now, phase: LegitimacyDecision.Phase = .begin
        ) -> DenialReason? {
            var facts = Sample.facts, tenant = Sample.tenantFact
            facts.readAt = readAt
            tenant.writeGate.checkedAt = checkedAt
            facts.tenant = .found(tenant)
            return LegitimacyGate.decide(run, attempt: 1, phase: phase, facts: facts).denial
        }
        #expect(denial(readAt: Sample.expiry.addingTimeInterval(-microsecond)) == nil)
        #expect(denial(readAt: Sample.expiry) == .runExpired)
        #expect(denial(readAt: Sample.expiry, phase: .start) == .runExpired)
        #expect(denial(readAt: Sample.expiry.addingTimeInterval(1_000), phase: .call) == nil)
        #expect(denial(checkedAt: Sample.now.addingTimeInterval(-86_400)) == nil)
        #expect(denial(checkedAt: Sample.now.addingTimeInterval(-86_400 - microsecond)) == .writeGateStale)
    }

    @Test(arguments: OperationType.allCases)
    func `a permit is made for what was allowed, and for nothing else`(type: OperationType) throws {
        let run = Sample.execution(type)
        guard
            case .allowed(let permit, let begin) = LegitimacyGate.rule(
                on: run, attempt: 3, facts: Sample.facts)
        else {
            Issue.record("a legitimate run was refused")
            return
        }
        #expect(permit.execution == run)
        #expect(permit.definition.type == type)
        #expect(permit.attempt == 3)
        #expect(begin.phase == .begin)
        #expect(begin.attempt == 3)
        let call = LegitimacyGate.ruleOnCall(under: permit, facts: Sample.facts)
        guard case .allowed(let allowed, let decision) = call else {
            Issue.record("a legitimate call was refused")
            return
        }
        #expect(allowed.execution.execution == run)
        #expect(decision.phase == .call)
        #expect(decision.attempt == 3)

        var gone = Sample.facts
        gone.entitlement = .missing
        guard
            case .denied(.tenantNotEntitled, let refused) = LegitimacyGate.ruleOnCall(
                under: permit, facts: gone),
            case .denied(.tenantNotEntitled, _) = LegitimacyGate.rule(on: run, attempt: 3, facts: gone)
        else {
            Issue.record("a run without a grant was allowed")
            return
        }
        #expect(refused.denial == .tenantNotEntitled)
        #expect(call.decision == decision)
    }
}
