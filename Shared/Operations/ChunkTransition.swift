package import FoundationEssentials
package import JSON

/// Where a chunk of a divided run stands.
package enum ChunkState: String, Sendable, CaseIterable {
    /// Its message is not written yet: only so many chunks of a run are in the queue at once.
    case planned
    /// In the queue, or waiting for its next attempt.
    case queued
    /// A worker holds it.
    case running
    /// For good.
    case ended
}

/// A chunk as its row stood when its run was locked.
package struct ChunkSnapshot: Sendable, Hashable {
    package let run: RunSnapshot
    /// From 1.
    package let chunk: Int
    package var state: ChunkState
    /// 1 is the first.
    package let attempt: Int
    /// How many attempts failed or lost their worker.
    package let failedAttempts: Int

    package init(run: RunSnapshot, chunk: Int, state: ChunkState, attempt: Int, failedAttempts: Int) {
        self.run = run
        self.chunk = chunk
        self.state = state
        self.attempt = attempt
        self.failedAttempts = failedAttempts
    }
}

/// Why a chunk ended before it was through. It stops the run's other chunks.
package struct ChunkStop: Sendable, Hashable {
    package enum Cause: Sendable, Hashable {
        /// A person asked to stop the run.
        case cancelled
        case reason(RunReason)
    }

    package let cause: Cause
    /// The gate's decision and its summary, where that was the cause.
    package let decision: JSON?
    package let summary: JSON?

    private static let cancelledCode = "cancelled"

    init(_ cause: Cause, _ decision: LegitimacyDecision? = nil) {
        self.cause = cause
        self.decision = decision?.json
        summary = decision?.summary
    }

    /// The stable code, as stored.
    package var code: String {
        switch cause {
        case .cancelled: Self.cancelledCode
        case .reason(let reason): reason.code
        }
    }

    /// The decision with its summary, as stored; nil where there is none.
    package var stored: JSON? { decision.map { ["decision": $0, "summary": summary ?? .null] } }

    /// Reads what was stored; nil when the code is none of ours.
    package init?(code: String, stored: JSON?) {
        if code == Self.cancelledCode {
            cause = .cancelled
        } else {
            guard let reason = RunReason(code: code) else { return nil }
            cause = .reason(reason)
        }
        decision = stored?["decision"]
        summary = stored?["summary"]
    }
}

/// One change of a chunk, conditional on the state and attempt that it believes in: by the same rules as a run's.
///
///     planned ──ring──► queued ──begin──► running ──finish──► ended
///                        │ ▲                │
///                        │ └─ retry, repair ┘
///                        └─ refuse, cancel ─► ended
package struct ChunkTransition: Sendable {
    package let chunk: ChunkSnapshot
    package let to: ChunkState
    package let nextAttempt: Int
    /// Whether the attempt counts as failed.
    package let isFailure: Bool
    /// Why it waits.
    package let waitReason: RunReason?
    /// Why it ended early; nil when it was through, or goes on.
    package let stop: ChunkStop?
    /// How long the next attempt waits at least, in seconds.
    package let delaySeconds: Double

    /// queued → running: the gate allowed it.
    package static func begin(_ chunk: ChunkSnapshot) -> ChunkTransition {
        ChunkTransition(chunk, to: .running)
    }

    /// queued → ended, or queued → queued (next attempt) when the refusal may pass by itself and attempts and time
    /// are left. `random` in 0..<1.
    package static func deny(
        _ chunk: ChunkSnapshot, _ decision: LegitimacyDecision, reason: DenialReason, now: Date,
        random: Double
    ) -> ChunkTransition {
        let left = chunk.run.execution.expiresAt.timeIntervalSince(now)
        if reason.isRetryable, left > 0,
            let delay = RetryPolicy.refusals.delay(
                after: chunk.attempt - chunk.failedAttempts, random: random)
        {
            return again(chunk, isFailure: false, .denial(reason), delay: min(delay, left))
        }
        return ChunkTransition(chunk, to: .ended, stop: ChunkStop(.reason(.denial(reason)), decision))
    }

    /// running → ended, or running → queued (next attempt) when another try makes sense: after a failure that may
    /// pass, and to look up items whose end is unknown (`in_doubt` of a completed result).
    package static func finish(
        _ chunk: ChunkSnapshot, _ result: ExecutionResult, random: Double
    ) -> ChunkTransition {
        switch result {
        case .completed(let counts):
            guard counts[.inDoubt] > 0, let delay = delay(chunk, random) else {
                return ChunkTransition(chunk, to: .ended)
            }
            return again(chunk, isFailure: true, .failure(.unknownOutcome), delay: delay)
        case .failed(let failure, _, let retryAfter):
            guard failure.isRetryable, let delay = delay(chunk, random, retryAfter) else {
                return ChunkTransition(chunk, to: .ended, stop: ChunkStop(.reason(.failure(failure))))
            }
            if chunk.run.cancelRequested { return cancel(chunk) }
            return again(chunk, isFailure: true, .failure(failure), delay: delay)
        case .refused(let decision, _):
            let cause = decision.denial.map { ChunkStop.Cause.reason(.denial($0)) }
            return ChunkTransition(chunk, to: .ended, stop: ChunkStop(cause ?? .cancelled, decision))
        case .cancelled: return cancel(chunk)
        case .divided: preconditionFailure("a chunk is not divided")
        }
    }

    /// running → queued (next attempt): its worker is gone. Ends it when that happened too often.
    package static func repair(_ chunk: ChunkSnapshot) -> ChunkTransition {
        guard chunk.failedAttempts + 1 < policy(chunk).attemptLimit else {
            return ChunkTransition(chunk, to: .ended, stop: ChunkStop(.reason(.failure(.workerLost))))
        }
        return again(chunk, isFailure: true, .failure(.workerLost), delay: 0)
    }

    /// → ended: a person stopped the run.
    package static func cancel(_ chunk: ChunkSnapshot) -> ChunkTransition {
        ChunkTransition(chunk, to: .ended, stop: ChunkStop(.cancelled))
    }

    private static func again(
        _ chunk: ChunkSnapshot, isFailure: Bool, _ reason: RunReason, delay: Double
    ) -> ChunkTransition {
        ChunkTransition(
            chunk, to: .queued, next: chunk.attempt + 1, isFailure: isFailure, waitReason: reason,
            delay: delay)
    }

    private static func delay(
        _ chunk: ChunkSnapshot, _ random: Double, _ retryAfter: Double? = nil
    ) -> Double? {
        policy(chunk).delay(
            after: chunk.failedAttempts + 1, random: random, retryAfterSeconds: retryAfter)
    }

    private static func policy(_ chunk: ChunkSnapshot) -> RetryPolicy {
        OperationCatalogue.definition(named: chunk.run.execution.operation)?.retry ?? .writes
    }

    private init(
        _ chunk: ChunkSnapshot, to: ChunkState, next: Int? = nil, isFailure: Bool = false,
        waitReason: RunReason? = nil, stop: ChunkStop? = nil, delay: Double = 0
    ) {
        self.chunk = chunk
        self.to = to
        nextAttempt = next ?? chunk.attempt
        self.isFailure = isFailure
        self.waitReason = waitReason
        self.stop = stop
        delaySeconds = delay
    }
}
