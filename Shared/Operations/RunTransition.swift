package import FoundationEssentials
package import JSON

/// One change of a run: what it believes, what it makes of it, and the audit and outbox content that is
/// committed with it. The only way a run's state and outcome change (H6).
///
///     queued ──begin──► running ──finish──► completed
///       │ ▲                │
///       │ └─ retry, repair ┘   (next attempt)
///       ├─ wait ─► queued      (next attempt, later)
///       └─ block, cancel ─► completed
///     running ──divide──► running (held by its chunks) ──conclude──► completed
package struct RunTransition: Sendable {
    package let runID: RunID
    package let workspaceID: WorkspaceID
    package let tenantID: TenantID
    /// The state and attempt that the row must still have; else nothing changes.
    package let from: RunState
    package let attempt: Int
    /// What it becomes.
    package let to: RunState
    package let nextAttempt: Int
    /// Set exactly when `to` is `completed`.
    package let outcome: RunOutcome?
    /// Why it ended so, or why it waits.
    package let reason: RunReason?
    /// What it has done by now; nil leaves what the row says of earlier attempts.
    package let counts: SummaryCounts?
    /// The decision to keep in the run's context; nil leaves what is there.
    package let legitimacy: JSON?
    package let audit: AuditRecord
    package let outbox: OutboxMessage?

    /// queued → running: the gate allowed it.
    package static func begin(_ run: RunSnapshot, _ decision: LegitimacyDecision) -> RunTransition {
        make(
            run, from: .queued, to: .running, legitimacy: decision.summary, action: .runBegan,
            details: decision.json)
    }

    /// queued → completed(blocked, or partially succeeded when an earlier attempt applied something), or
    /// queued → queued (next attempt) when the refusal may pass by itself and attempts and time are left.
    /// `random` in 0..<1.
    package static func deny(
        _ run: RunSnapshot, _ decision: LegitimacyDecision, reason: DenialReason, now: Date, random: Double
    ) -> RunTransition {
        let definition = OperationCatalogue.definition(named: run.execution.operation)
        let left = run.execution.expiresAt.timeIntervalSince(now)
        if reason.isRetryable, left > 0, let definition,
            let delay = RetryPolicy.refusals.delay(after: run.attempt - run.failedAttempts, random: random)
        {
            // The last look is at the very end of the time that the run may wait.
            return make(
                run, from: .queued, to: .queued, next: run.attempt + 1, reason: .denial(reason),
                legitimacy: decision.summary, action: .runWaits, details: decision.json,
                outbox: .job(
                    run, family: definition.family, attempt: run.attempt + 1,
                    delaySeconds: min(delay, left)))
        }
        return complete(
            run, from: .queued, outcome: refused(after: run.counts), reason: .denial(reason), counts: nil,
            legitimacy: decision.summary, action: .runBlocked, details: decision.json, now: now)
    }

    /// running → completed, or running → queued (next attempt) when another try makes sense.
    package static func finish(
        _ run: RunSnapshot, _ result: ExecutionResult, now: Date, random: Double
    ) -> RunTransition {
        let definition = OperationCatalogue.definition(named: run.execution.operation)
        let counts = definition.map(result.counts.allowed(for:)) ?? SummaryCounts()
        switch result {
        case .failed(let failure, _, let retryAfter) where failure.isRetryable && !run.cancelRequested:
            if let definition,
                let delay = definition.retry.delay(
                    after: run.failedAttempts + 1, random: random, retryAfterSeconds: retryAfter)
            {
                return make(
                    run, from: .running, to: .queued, next: run.attempt + 1, reason: .failure(failure),
                    counts: counts, action: .runWaits, details: ["reason_code": .string(failure.rawValue)],
                    outbox: .job(
                        run, family: definition.family, attempt: run.attempt + 1, delaySeconds: delay))
            }
        case .divided: preconditionFailure("a divided run is ended by its chunks")
        case .completed, .refused, .failed, .cancelled: break
        }
        let (outcome, reason, decision) = ending(result, counts)
        return complete(
            run, from: .running, outcome: outcome, reason: reason, counts: counts,
            legitimacy: decision?.summary,
            action: .runEnded, details: decision?.json ?? .null, now: now)
    }

    /// running → queued (next attempt): its worker is gone. Ends it when that happened too often.
    package static func repair(_ run: RunSnapshot, now: Date) -> RunTransition {
        let definition = OperationCatalogue.definition(named: run.execution.operation)
        if let definition, run.failedAttempts + 1 < definition.retry.attemptLimit {
            return make(
                run, from: .running, to: .queued, next: run.attempt + 1, reason: .failure(.workerLost),
                action: .runRepaired, details: .null,
                outbox: .job(run, family: definition.family, attempt: run.attempt + 1))
        }
        return complete(
            run, from: .running, outcome: broken(after: run.counts), reason: .failure(.workerLost),
            counts: nil, legitimacy: nil, action: .runEnded, details: .null, now: now)
    }

    /// queued → completed(cancelled): a person stopped it before it executed.
    package static func cancel(_ run: RunSnapshot, now: Date) -> RunTransition {
        complete(
            run, from: .queued, outcome: .cancelled, reason: nil, counts: nil, legitimacy: nil,
            action: .runCancelled, details: .null, now: now)
    }

    /// running → running: what it is to do was frozen and divided. Its worker gives it to its chunks.
    package static func divide(_ run: RunSnapshot, chunks: Int) -> RunTransition {
        make(run, from: .running, to: .running, action: .runDivided, details: ["chunks": .int(chunks)])
    }

    /// running → completed: all chunks of a divided run have ended. `stop` is why the first of them that did not get
    /// through stopped; nil when all did.
    package static func conclude(
        _ run: RunSnapshot, _ stop: ChunkStop?, counts: SummaryCounts, now: Date
    ) -> RunTransition {
        var outcome: RunOutcome
        var reason: RunReason?
        switch stop?.cause {
        case nil: outcome = completed(after: counts)
        case .cancelled?: outcome = .cancelled
        case .reason(let cause)?:
            reason = cause
            if case .denial = cause {
                outcome = refused(after: counts)
            } else {
                outcome = broken(after: counts)
            }
        }
        return complete(
            run, from: .running, outcome: outcome, reason: reason, counts: counts, legitimacy: stop?.summary,
            action: .runEnded, details: stop?.decision ?? .null, now: now)
    }

    // MARK: building

    /// What a result comes to. The outcome follows from the counts: green only when nothing was left out.
    private static func ending(
        _ result: ExecutionResult, _ counts: SummaryCounts
    ) -> (RunOutcome, RunReason?, LegitimacyDecision?) {
        switch result {
        case .completed:
            return (completed(after: counts), nil, nil)
        case .refused(let decision, _):
            return (refused(after: counts), decision.denial.map(RunReason.denial), decision)
        case .failed(let failure, _, _):
            return (broken(after: counts), .failure(failure), nil)
        case .cancelled, .divided:
            return (.cancelled, nil, nil)
        }
    }

    /// How a run ends that went through all its items.
    private static func completed(after counts: SummaryCounts) -> RunOutcome {
        let isWhole = counts[.failed] == 0 && counts[.inDoubt] == 0 && counts[.untouched] == 0
        return isWhole ? .succeeded : broken(after: counts)
    }

    /// How a run ends that the gate refused: something in doubt may have been applied, and «blocked» would
    /// claim that nothing was.
    private static func refused(after counts: SummaryCounts) -> RunOutcome {
        counts[.applied] > 0 || counts[.inDoubt] > 0 ? .partiallySucceeded : .blocked
    }

    /// How a run ends that did not get through.
    private static func broken(after counts: SummaryCounts) -> RunOutcome {
        counts[.applied] > 0 ? .partiallySucceeded : .failed
    }

    private static func complete(
        _ run: RunSnapshot, from: RunState, outcome: RunOutcome, reason: RunReason?, counts: SummaryCounts?,
        legitimacy: JSON?, action: AuditAction, details: JSON, now: Date
    ) -> RunTransition {
        let event = TerminalEvent(
            run: run, outcome: outcome, reason: reason, counts: counts ?? run.counts, completedAt: now)
        return make(
            run, from: from, to: .completed, outcome: outcome, reason: reason, counts: counts,
            legitimacy: legitimacy, action: action, details: details, outbox: .event(event))
    }

    private static func make(
        _ run: RunSnapshot, from: RunState, to: RunState, next: Int? = nil, outcome: RunOutcome? = nil,
        reason: RunReason? = nil, counts: SummaryCounts? = nil, legitimacy: JSON? = nil,
        action: AuditAction, details: JSON, outbox: OutboxMessage? = nil
    ) -> RunTransition {
        RunTransition(
            runID: run.execution.runID, workspaceID: run.execution.workspaceID,
            tenantID: run.execution.tenantID, from: from, attempt: run.attempt, to: to,
            nextAttempt: next ?? run.attempt, outcome: outcome, reason: reason, counts: counts,
            legitimacy: legitimacy,
            audit: AuditRecord(
                action: action, workspaceID: run.execution.workspaceID, tenantID: run.execution.tenantID,
                actor: .system, runID: run.execution.runID,
                details: [
                    "operation": .string(run.execution.operation),
                    "attempt": .int(run.attempt),
                    "outcome": .optional(outcome?.rawValue),
                    "reason_code": .optional(reason?.code),
                    "counts": (counts ?? run.counts).json,
                    "decision": details,
                ]),
            outbox: outbox)
    }
}

extension LegitimacyDecision {
    /// The part of a decision that stays in the run's context: the answer, not the facts.
    package var summary: JSON {
        [
            "decision": .string(isAllowed ? "allowed" : "denied"),
            "phase": .string(phase.rawValue),
            "attempt": .int(attempt),
            "denial_class": .optional(denial?.denialClass.rawValue),
            "reason_code": .optional(denial?.rawValue),
            "retryable": denial.map { .bool($0.isRetryable) } ?? .null,
            "authority_epoch": {
                if case .found(let tenant) = facts.tenant { .int(tenant.authorityEpoch) } else { .null }
            }(),
            "evaluated_at": Timestamp.json(facts.readAt),
            "policy_version": .int(policyVersion),
        ]
    }
}
