/// Where a run stands.
package enum RunState: String, Sendable, CaseIterable {
    /// Started and not yet executing: in the queue, or waiting with a reason.
    /// Leaves to `running`, or to `completed` (blocked, cancelled).
    case queued
    /// A worker holds the lease. Leaves to `completed`, or back to `queued` (next attempt).
    case running
    /// Has an outcome, for good.
    case completed
}

/// How a run ended.
package enum RunOutcome: String, Sendable, CaseIterable {
    /// Everything was acknowledged by the provider.
    case succeeded
    /// Something was applied, and something was not.
    case partiallySucceeded = "partially_succeeded"
    /// Nothing useful came of it, for a technical reason.
    case failed
    /// Refused by the gate before anything was applied.
    case blocked
    /// Stopped by a person before it was through.
    case cancelled
}

/// Under whose authority a run executes.
package enum AuthorityMode: String, Sendable, CaseIterable {
    /// A person's or system account's grant, read again at every decision.
    case actorBound = "actor_bound"
    /// The system's own: only for allowlisted operations, only from a schedule.
    case systemAuthority = "system_authority"
}

/// The door a start came through.
package enum StartOrigin: String, Sendable, CaseIterable {
    case person, upstream, schedule
}

/// Why a run ended or waits: a refusal of the gate, or a failure at the provider.
package enum RunReason: Sendable, Hashable {
    case denial(DenialReason)
    case failure(ProviderFailure)

    /// The stable code, as stored and shown.
    package var code: String {
        switch self {
        case .denial(let reason): reason.rawValue
        case .failure(let failure): failure.rawValue
        }
    }

    /// Whether time alone may take it away.
    package var isRetryable: Bool {
        switch self {
        case .denial(let reason): reason.isRetryable
        case .failure(let failure): failure.isRetryable
        }
    }

    /// Reads a stored code; nil when it is none of ours.
    package init?(code: String) {
        if let denial = DenialReason(rawValue: code) {
            self = .denial(denial)
        } else if let failure = ProviderFailure(rawValue: code) {
            self = .failure(failure)
        } else {
            return nil
        }
    }
}
