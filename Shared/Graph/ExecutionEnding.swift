package import Operations
internal import Store

extension ExecutionResult {
    /// What an error during a handler's work comes to, with what was done until then. Nil for errors of the
    /// database and for cancellation: they say nothing about the run, and are left to its lease.
    package init?(
        endingWith error: any Error, counts: () async throws -> SummaryCounts
    ) async rethrows {
        switch error {
        case let failure as GraphFailure:
            self = .failed(
                failure.failure, try await counts(), retryAfterSeconds: failure.retryAfterSeconds)
        case CallRefusal.denied(let decision): self = .refused(decision, try await counts())
        case CallRefusal.cancelled: self = .cancelled(try await counts())
        // Whatever is finished now is stale: the run belongs to another attempt.
        case CallRefusal.attemptLost: self = .failed(.workerLost, try await counts())
        default: return nil
        }
    }
}
