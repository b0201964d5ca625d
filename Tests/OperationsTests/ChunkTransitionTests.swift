import FoundationEssentials
import JSON
import Operations
import Testing

/// Chunks follow the rules of runs; and how a divided run ends.
struct ChunkTransitionTests {
    private static func chunk(
        _ state: ChunkState = .running, attempt: Int = 3, failed: Int = 1, isCancelled: Bool = false
    ) -> ChunkSnapshot {
        var run = Sample.snapshot(.deviceBulkSync, state: .running)
        run.cancelRequested = isCancelled
        return ChunkSnapshot(run: run, chunk: 4, state: state, attempt: attempt, failedAttempts: failed)
    }

    private static func counts(_ values: [SummaryCounts.Key: Int]) -> SummaryCounts { Sample.counts(values) }

    @Test func `a result ends it, or another attempt is due`() {
        let done = ChunkTransition.finish(Self.chunk(), .completed(SummaryCounts()), random: 0)
        #expect(done.to == .ended && done.stop == nil)
        let doubt = ChunkTransition.finish(Self.chunk(), .completed(Self.counts([.inDoubt: 1])), random: 0)
        #expect(doubt.to == .queued && doubt.nextAttempt == 4 && doubt.isFailure)
        let throttled = ChunkTransition.finish(
            Self.chunk(), .failed(.throttled, SummaryCounts(), retryAfterSeconds: 77), random: 0)
        #expect(throttled.to == .queued && throttled.delaySeconds == 77)
        #expect(throttled.waitReason == .failure(.throttled))
        let lost = ChunkTransition.finish(
            Self.chunk(), .failed(.permissionMissing, SummaryCounts()), random: 0)
        #expect(lost.to == .ended && lost.stop?.cause == .reason(.failure(.permissionMissing)))
        let cancelled = ChunkTransition.finish(
            Self.chunk(isCancelled: true), .failed(.throttled, SummaryCounts()), random: 0)
        #expect(cancelled.to == .ended && cancelled.stop?.cause == .cancelled)
        let decision = Sample.decision(.deviceBulkSync, allowed: false)
        let refused = ChunkTransition.finish(Self.chunk(), .refused(decision, SummaryCounts()), random: 0)
        #expect(refused.to == .ended && refused.stop?.code == "tenant_suspended")
        #expect(refused.stop?.decision == decision.json)
    }

    @Test func `attempts are bounded`() {
        let limit = RetryPolicy.writes.attemptLimit
        let last = Self.chunk(attempt: limit, failed: limit - 1)
        #expect(ChunkTransition.repair(last).stop?.code == "worker_lost")
        #expect(
            ChunkTransition.finish(last, .failed(.throttled, SummaryCounts()), random: 0).stop?.code
                == "throttled")
        // What can't be looked up stays in doubt; the others go on.
        let doubt = ChunkTransition.finish(last, .completed(Self.counts([.inDoubt: 1])), random: 0)
        #expect(doubt.to == .ended && doubt.stop == nil)
        let earlier = ChunkTransition.repair(Self.chunk(attempt: limit, failed: limit - 2))
        #expect(earlier.to == .queued && earlier.nextAttempt == limit + 1 && earlier.isFailure)
    }

    @Test func `a refusal that may pass waits as long as the run may`() {
        let decision = Sample.decision(.deviceBulkSync, allowed: false)
        func deny(_ reason: DenialReason, now: Date) -> ChunkTransition {
            .deny(Self.chunk(.queued), decision, reason: reason, now: now, random: 0.5)
        }
        let waits = deny(.tenantSuspended, now: Sample.now)
        #expect(waits.to == .queued && !waits.isFailure && waits.delaySeconds > 0)
        #expect(deny(.tenantSuspended, now: Sample.expiry.addingTimeInterval(-1)).delaySeconds <= 1)
        #expect(deny(.tenantSuspended, now: Sample.expiry).to == .ended)
        #expect(deny(.grantSuperseded, now: Sample.now).to == .ended)
    }

    /// A chunk of a run that executes is not too late, however long the run may have waited.
    @Test func `only a run's beginning expires`() {
        var run = Sample.execution(.deviceBulkSync)
        run.expiresAt = Sample.now
        guard
            case .allowed(let permit, let decision) = LegitimacyGate.rule(
                onChunk: 4, of: run, attempt: 2, facts: Sample.facts)
        else {
            Issue.record("it was refused")
            return
        }
        #expect(permit.chunk == 4 && permit.attempt == 2 && decision.phase == .chunk)
        #expect(
            LegitimacyGate.decide(run, attempt: 1, phase: .begin, facts: Sample.facts).denial == .runExpired)
    }

    @Test(
        arguments: [
            (nil, [.applied: 3], .succeeded), (nil, [.applied: 3, .skipped: 2], .succeeded),
            (nil, [.applied: 3, .failed: 1], .partiallySucceeded),
            (nil, [.applied: 3, .inDoubt: 1], .partiallySucceeded), (nil, [.failed: 3], .failed),
            ("tenant_not_entitled", [.applied: 1, .untouched: 2], .partiallySucceeded),
            ("tenant_not_entitled", [.inDoubt: 1, .untouched: 2], .partiallySucceeded),
            ("tenant_not_entitled", [.untouched: 3], .blocked), ("cancelled", [.applied: 1], .cancelled),
            ("throttled", [.applied: 1, .untouched: 2], .partiallySucceeded),
            ("throttled", [.untouched: 3], .failed),
        ] as [(String?, [SummaryCounts.Key: Int], RunOutcome)])
    func `a divided run ends by its counts and its first stop`(
        code: String?, values: [SummaryCounts.Key: Int], outcome: RunOutcome
    ) throws {
        let stop = code.flatMap { ChunkStop(code: $0, stored: nil) }
        let run = Sample.snapshot(.deviceBulkSync, state: .running, attempt: 2)
        let end = RunTransition.conclude(run, stop, counts: Self.counts(values), now: Sample.now)
        #expect(end.from == .running && end.attempt == 2 && end.to == .completed)
        #expect(end.outcome == outcome)
        #expect(end.reason?.code == (code == "cancelled" ? nil : code))
        let event = try end.event()
        #expect(event.outcome == outcome)
    }

    @Test func `a decision survives its storing`() throws {
        let decision = Sample.decision(.deviceBulkSync, allowed: false)
        let stop = try #require(
            ChunkTransition.finish(Self.chunk(), .refused(decision, SummaryCounts()), random: 0).stop)
        let stored = try JSON(parsing: try #require(stop.stored).text)
        let read = try #require(ChunkStop(code: stop.code, stored: stored))
        #expect(read == stop)
        #expect(ChunkStop(code: "nonsense", stored: nil) == nil)
        let end = RunTransition.conclude(
            Sample.snapshot(.deviceBulkSync, state: .running), read, counts: SummaryCounts(), now: Sample.now)
        #expect(end.audit.details["decision"] == decision.json)
        #expect(end.legitimacy?["reason_code"] == "tenant_suspended")
    }
}
