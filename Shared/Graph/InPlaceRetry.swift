internal import Operations

/// Whether a failed reading call is repeated at once, within the same attempt of the run. A longer wait belongs
/// to the run: it goes back to the queue and leaves the worker to others.
struct InPlaceRetry: Sendable {
    /// The most tries of one call.
    static let mostTries = 4
    /// The longest single wait, in seconds.
    static let longestWait = 15.0
    /// The longest that one call waits in all, in seconds.
    static let budget = 30.0

    private var tries = 1
    private var waited = 0.0
    private var rereadOnce = false

    /// The seconds to wait before the next try, or nil when there is to be none. `random` in 0..<1 spreads
    /// the waits; a wait that the provider named is only ever made longer.
    mutating func wait(after failure: GraphFailure, random: Double) -> Double? {
        guard tries < Self.mostTries, let wait = wanted(failure, random), wait <= Self.longestWait + 1,
            waited + wait <= Self.budget
        else { return nil }
        tries += 1
        waited += wait
        return wait
    }

    private mutating func wanted(_ failure: GraphFailure, _ random: Double) -> Double? {
        switch failure.failure {
        case .throttled, .unavailable, .timeout:
            if let asked = failure.retryAfterSeconds {
                return asked <= Self.longestWait ? asked + random : nil
            }
            // Throttled without a word for how long: refused calls count, so it starts slower.
            let first = failure.failure == .throttled ? 2.0 : 0.5
            return first * Double(1 << (tries - 1)) * (0.5 + random / 2)
        case .malformedAnswer:
            defer { rereadOnce = true }
            return rereadOnce ? nil : 0
        case .credentialInvalid, .credentialExpired, .consentMissing, .applicationMissing,
            .applicationDisabled, .tenantMismatch, .policyBlocked, .authRejected, .permissionMissing,
            .licenceMissing, .notFound, .invalidRequest, .conflict, .unknownOutcome, .answerTooLarge,
            .workerLost, .internalError:
            return nil
        }
    }
}
