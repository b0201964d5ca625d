/// What a handler came back with.
package enum ExecutionResult: Sendable {
    /// It went through all its items; the counts say how they came out.
    case completed(SummaryCounts)
    /// The gate refused a call: nothing more was done.
    case refused(LegitimacyDecision, SummaryCounts)
    /// The provider, or we ourselves, failed. `retryAfterSeconds` is what the provider asked for.
    case failed(ProviderFailure, SummaryCounts, retryAfterSeconds: Double? = nil)
    /// A person asked to stop it, and it stopped.
    case cancelled(SummaryCounts)
    /// The run was divided, and has no worker any more: it ends when all its chunks have ended.
    case divided

    /// What was done so far.
    package var counts: SummaryCounts {
        switch self {
        case .completed(let counts), .refused(_, let counts), .failed(_, let counts, _),
            .cancelled(let counts):
            counts
        case .divided: SummaryCounts()
        }
    }
}
