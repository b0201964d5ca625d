package import JSON

/// The record of one decision of the gate: everything that went in, what each check came to, and the answer.
/// The same inputs always give the same decision, so a stored one can be replayed.
package struct LegitimacyDecision: Sendable, Hashable {
    /// At which moment of a run the gate was asked.
    package enum Phase: String, Sendable, CaseIterable {
        /// At the start, before anything was queued.
        case start
        /// When a consumer took the run from the queue.
        case begin
        /// When a consumer took a chunk of a divided run from the queue.
        case chunk
        /// Before a provider call.
        case call
    }

    package let execution: QueuedExecution
    package let attempt: Int
    package let phase: Phase
    package let facts: AuthorityFacts
    /// The results in the order of ``LegitimacyCheck``, up to and with the first that failed.
    package let results: [CheckResult]
    /// Why it was refused; nil when it was allowed.
    package let denial: DenialReason?
    /// The version of the gate's rules.
    package let policyVersion: Int

    package var isAllowed: Bool { denial == nil }

    /// The decision as it is stored and shown: answer, checks, and the facts with their epochs.
    package var json: JSON {
        [
            "decision": .string(isAllowed ? "allowed" : "denied"),
            "phase": .string(phase.rawValue),
            "attempt": .int(attempt),
            "policy_version": .int(policyVersion),
            "authority_mode": .optional(execution.context?.authorityMode.rawValue),
            "denial_class": .optional(denial?.denialClass.rawValue),
            "reason_code": .optional(denial?.rawValue),
            "retryable": denial.map { .bool($0.isRetryable) } ?? .null,
            "checks": .object(
                JSONObject(zip(LegitimacyCheck.allCases, results).map { ($0.rawValue, $1.json) })),
            "run": execution.json,
            "facts": facts.json,
        ]
    }
}

extension CheckResult {
    /// `passed`, `not_applicable`, or the reason code of a failed check.
    var json: JSON {
        switch self {
        case .passed: "passed"
        case .notApplicable: "not_applicable"
        case .failed(let reason): .string(reason.rawValue)
        }
    }
}
