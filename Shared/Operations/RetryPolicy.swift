/// How often, how long, and after which delays something is tried again.
package struct RetryPolicy: Sendable, Hashable {
    /// The most attempts in all, the first included.
    package let attemptLimit: Int
    /// The delay after the first attempt, in seconds; it doubles from attempt to attempt.
    package let firstDelaySeconds: Double
    /// The longest delay that the doubling reaches, in seconds.
    package let longestDelaySeconds: Double
    /// The longest `Retry-After` that is honoured, in seconds. A provider that asks for more ends the run.
    package let longestRetryAfterSeconds: Double

    /// Refusals that may pass by themselves. The time that a run may wait ends them, long before the attempts do.
    package static let refusals = RetryPolicy(
        attemptLimit: 400, firstDelaySeconds: 2, longestDelaySeconds: 600, longestRetryAfterSeconds: 900)
    /// Operations that only read.
    package static let reads = RetryPolicy(
        attemptLimit: 12, firstDelaySeconds: 2, longestDelaySeconds: 600, longestRetryAfterSeconds: 900)
    /// Operations that change something.
    package static let writes = RetryPolicy(
        attemptLimit: 8, firstDelaySeconds: 5, longestDelaySeconds: 900, longestRetryAfterSeconds: 900)

    /// The seconds to wait after `attempt` (1 is the first), or nil when there is to be no other attempt.
    ///
    /// `random` in 0..<1 spreads the delay over its upper half, so that runs that were refused together
    /// don't come back together. `retryAfterSeconds` is a lower bound that the provider named.
    package func delay(after attempt: Int, random: Double, retryAfterSeconds: Double? = nil) -> Double? {
        guard attempt < attemptLimit else { return nil }
        let asked = retryAfterSeconds ?? 0
        guard asked <= longestRetryAfterSeconds else { return nil }
        let doublings = Double(min(max(attempt - 1, 0), 30))
        let full = min(firstDelaySeconds * exp2(doublings), longestDelaySeconds)
        return max(full * (0.5 + random / 2), asked)
    }
}

/// Two to the power of a small whole number, without importing a mathematics library for it.
private func exp2(_ exponent: Double) -> Double { Double(UInt64(1) << UInt64(exponent)) }
