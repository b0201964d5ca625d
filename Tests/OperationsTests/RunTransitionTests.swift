import FoundationEssentials
import JSON
import Operations
import Testing

/// The state machine of a run.
struct RunTransitionTests {
    /// Every way to make a transition, and what it believes of the row.
    enum Maker: CaseIterable {
        case begin, wait, block, retry, finish, refuse, fail, stop, repair, repairLast, cancel

        var from: RunState {
            switch self {
            case .begin, .wait, .block, .cancel: .queued
            case .retry, .finish, .refuse, .fail, .stop, .repair, .repairLast: .running
            }
        }

        var to: RunState {
            switch self {
            case .begin: .running
            case .wait, .retry, .repair: .queued
            case .block, .finish, .refuse, .fail, .stop, .repairLast, .cancel: .completed
            }
        }

        var action: AuditAction {
            switch self {
            case .begin: .runBegan
            case .wait, .retry: .runWaits
            case .block: .runBlocked
            case .finish, .refuse, .fail, .stop, .repairLast: .runEnded
            case .repair: .runRepaired
            case .cancel: .runCancelled
            }
        }

        func transition(_ type: OperationType, state: RunState) -> RunTransition {
            let limit = OperationCatalogue.definition(type).retry.attemptLimit
            var run = Sample.snapshot(type, state: state, attempt: self == .repairLast ? limit : 2)
            run.failedAttempts = run.attempt - 1
            let refused = Sample.decision(type, allowed: false)
            let counts = Sample.counts([.total: 3, .applied: 2, .untouched: 1])
            func finish(_ result: ExecutionResult) -> RunTransition {
                .finish(run, result, now: Sample.now, random: 0.5)
            }
            func deny(_ reason: DenialReason) -> RunTransition {
                .deny(run, refused, reason: reason, now: Sample.now, random: 0.5)
            }
            return switch self {
            case .begin: .begin(run, Sample.decision(type, allowed: true))
            case .wait: deny(.tenantSuspended)
            case .block: deny(.tenantArchived)
            case .retry: finish(.failed(.throttled, counts))
            case .finish: finish(.completed(counts))
            case .refuse: finish(.refused(refused, counts))
            case .fail: finish(.failed(.notFound, counts))
            case .stop: finish(.cancelled(counts))
            case .repair, .repairLast: .repair(run, now: Sample.now)
            case .cancel: .cancel(run, now: Sample.now)
            }
        }
    }

    /// Whatever state the snapshot has, a transition believes in the state that it may start from: applied to
    /// a row in another state it changes nothing.
    @Test(arguments: Maker.allCases, RunState.allCases)
    func `each way leads from one state to one state`(maker: Maker, state: RunState) throws {
        for type in OperationType.allCases {
            let change = maker.transition(type, state: state)
            #expect(change.from == maker.from)
            #expect(change.to == maker.to)
            #expect(change.from != .completed)
            #expect(change.runID == Sample.run)
            #expect(change.workspaceID == Sample.workspace)
            #expect(change.tenantID == Sample.tenant)
            #expect(change.nextAttempt == change.attempt + (change.to == .queued ? 1 : 0))
            // Nothing but what is completed has an outcome.
            #expect((change.outcome != nil) == (change.to == .completed))
            #expect(change.audit.action == maker.action)
            #expect(change.audit.runID == Sample.run)
            #expect(change.audit.actor == .system)
            #expect(change.audit.details["outcome"]?.string == change.outcome?.rawValue)
            #expect(change.audit.details["reason_code"]?.string == change.reason?.code)
            #expect((change.legitimacy != nil) == [.begin, .wait, .block, .refuse].contains(maker))
            if change.to == .queued { #expect(change.reason != nil) }
        }
    }

    @Test(arguments: Maker.allCases, OperationType.allCases)
    func `what ends a run tells of it once, what delays it rings once more, nothing else tells anything`(
        maker: Maker, type: OperationType
    ) throws {
        let change = maker.transition(type, state: maker.from)
        switch change.to {
        case .running: #expect(change.outbox == nil)
        case .queued:
            let message = try #require(change.outbox)
            #expect(message.route == .job(OperationCatalogue.definition(type).family))
            #expect(message.runID == Sample.run)
            #expect(message.messageID == "\(Sample.run):\(change.nextAttempt)")
            let job = try JobMessage(body: message.body)
            #expect(job == JobMessage(runID: Sample.run, attempt: change.nextAttempt))
            #expect(try JSON(parsing: message.body)["traceparent"] == .string(Sample.traceparent))
        case .completed:
            let message = try #require(change.outbox)
            #expect(message.route == .terminalEvent)
            #expect(message.messageID == "\(Sample.run)")
            #expect(message.delaySeconds == 0)
            let event = try change.event()
            #expect(event.runID == Sample.run)
            #expect(event.outcome == change.outcome)
            #expect(event.reason == change.reason)
            #expect(event.counts == change.counts ?? SummaryCounts())
            #expect(event.completedAt == Sample.now)
            #expect(event.attempt == change.attempt)
        }
    }

    // MARK: waiting

    static let retryable = DenialReason.allCases.filter(\.isRetryable)

    @Test(arguments: retryable, [OperationType.policySync, .restoreExecute])
    func `a refusal that may pass waits with growing delays until the attempts end`(
        reason: DenialReason, type: OperationType
    ) throws {
        let full = RetryPolicyTests.fullDelays(.refusals)
        for (index, delay) in full.enumerated() {
            for random in [0, 0.5, 0.999_999] {
                let change = Self.deny(type, reason, attempt: index + 1, left: 1_000_000, random: random)
                #expect(change.to == .queued)
                #expect(change.reason == .denial(reason))
                let seconds = try #require(change.outbox?.delaySeconds)
                #expect((delay / 2...delay).contains(seconds))
            }
        }
        let last = Self.deny(type, reason, attempt: full.count + 1, left: 1_000_000)
        #expect(last.outcome == .blocked)
        #expect(last.reason == .denial(reason))
    }

    @Test func `refusals and failures have budgets of their own`() {
        // Many refusals leave the failures' attempts alone, and the other way round.
        var waited = Sample.snapshot(.policySync, state: .running, attempt: 100)
        waited.failedAttempts = 0
        let failed = RunTransition.finish(waited, .failed(.throttled, .init()), now: Sample.now, random: 0)
        #expect(failed.to == .queued)
        #expect(failed.outbox?.delaySeconds == 1)
        var retried = Sample.snapshot(.policySync, attempt: 12)
        retried.failedAttempts = 11
        retried.execution.expiresAt = Sample.now.addingTimeInterval(3_600)
        let refused = RunTransition.deny(
            retried, Sample.decision(.policySync, allowed: false), reason: .tenantSuspended, now: Sample.now,
            random: 0)
        #expect(refused.to == .queued)
        #expect(refused.outbox?.delaySeconds == 1)
    }

    @Test(arguments: [0.001, 1, 2.5, 30], [0.0, 0.5, 0.999])
    func `the last look is at the end of the waiting time`(left: Double, random: Double) throws {
        let change = Self.deny(.policySync, .tenantSuspended, attempt: 9, left: left, random: random)
        #expect(change.to == .queued)
        let delay = try #require(change.outbox?.delaySeconds)
        #expect(abs(delay - left) < 0.000_001)
    }

    @Test(arguments: [0.0, -0.001, -1, -86_400])
    func `no time left ends it blocked`(left: Double) {
        let change = Self.deny(.policySync, .tenantSuspended, attempt: 1, left: left)
        #expect(change.outcome == .blocked)
        #expect(change.reason == .denial(.tenantSuspended))
        #expect(change.counts == nil)
    }

    @Test(arguments: DenialReason.allCases.filter { !$0.isRetryable })
    func `a refusal that does not pass ends it blocked at once`(reason: DenialReason) {
        let change = Self.deny(.policySync, reason, attempt: 1, left: 3_600)
        #expect(change.outcome == .blocked)
        #expect(change.reason == .denial(reason))
        #expect(change.nextAttempt == 1)
    }

    @Test func `an operation that nobody knows ends blocked, with an event that can be read`() throws {
        var run = Sample.snapshot(.policySync)
        run.execution.operation = "tenant.explode"
        let decision = LegitimacyGate.decide(run.execution, attempt: 1, phase: .begin, facts: Sample.facts)
        let change = RunTransition.deny(
            run, decision, reason: .operationUnknown, now: Sample.now, random: 0)
        #expect(change.outcome == .blocked)
        let event = try change.event()
        #expect(event.operation == "tenant.explode")
        #expect(NotificationPolicy.audience(of: event, schedule: nil) == .initiator(Sample.user))
        // Waiting would need a queue, which only the catalogue knows.
        let retryable = RunTransition.deny(
            run, decision, reason: .tenantSuspended, now: Sample.now, random: 0)
        #expect(retryable.outcome == .blocked)
    }

    private static func deny(
        _ type: OperationType, _ reason: DenialReason, attempt: Int, left: Double, random: Double = 0.5
    ) -> RunTransition {
        var run = Sample.snapshot(type, attempt: attempt)
        run.execution.expiresAt = Sample.now.addingTimeInterval(left)
        return .deny(
            run, Sample.decision(type, allowed: false), reason: reason, now: Sample.now, random: random)
    }

    // MARK: retry and repair

    @Test(arguments: ProviderFailure.allCases, [true, false])
    func `a failure comes back when it may pass, unless a person asked to stop`(
        failure: ProviderFailure, cancelRequested: Bool
    ) throws {
        var run = Sample.snapshot(.inventorySync, state: .running)
        run.cancelRequested = cancelRequested
        let change = RunTransition.finish(
            run, .failed(failure, Sample.counts([.total: 5])), now: Sample.now, random: 0)
        #expect(change.reason == .failure(failure))
        #expect(change.to == (failure.isRetryable && !cancelRequested ? .queued : .completed))
        #expect(change.counts?[.total] == 5)
    }

    @Test func `a failure waits as long as the provider asks, or ends`() throws {
        func delay(_ retryAfter: Double?, attempt: Int = 1) -> Double? {
            var run = Sample.snapshot(.inventorySync, state: .running, attempt: attempt)
            run.failedAttempts = attempt - 1
            let result = ExecutionResult.failed(.throttled, .init(), retryAfterSeconds: retryAfter)
            let change = RunTransition.finish(run, result, now: Sample.now, random: 0)
            return change.to == .queued ? change.outbox?.delaySeconds : nil
        }
        #expect(delay(nil) == 1)
        #expect(delay(300) == 300)
        #expect(delay(900) == 900)
        #expect(delay(901) == nil)
        #expect(delay(nil, attempt: 12) == nil)
    }

    @Test(arguments: OperationType.allCases)
    func `a lost worker is repaired at once, until it happened too often`(type: OperationType) throws {
        let limit = OperationCatalogue.definition(type).retry.attemptLimit
        for attempt in 1..<limit {
            var run = Sample.snapshot(type, state: .running, attempt: attempt)
            run.failedAttempts = attempt - 1
            let change = RunTransition.repair(run, now: Sample.now)
            #expect(change.nextAttempt == attempt + 1)
            #expect(change.outbox?.delaySeconds == 0)
            #expect(change.reason == .failure(.workerLost))
            #expect(change.counts == nil)
        }
        var run = Sample.snapshot(type, state: .running, attempt: limit)
        run.failedAttempts = limit - 1
        #expect(RunTransition.repair(run, now: Sample.now).outcome == .failed)
    }
}
