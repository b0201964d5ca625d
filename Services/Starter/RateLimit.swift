import FoundationEssentials
import Synchronization

/// How many requests a token may send: a bucket per token that fills steadily, and that each request takes one
/// from. Only tokens that were found valid have a bucket, so there are never more buckets than tokens.
final class RateLimit: Sendable {
    private struct Bucket {
        var level: Double
        var at: ContinuousClock.Instant
    }

    private struct State {
        var buckets: [UUID: Bucket] = [:]
        var nextSweep: ContinuousClock.Instant?
    }

    private let perSecond: Double
    private let burst: Double
    private let state = Mutex(State())

    /// With more buckets than this, those that are full are forgotten, but not more often than an empty one
    /// takes to fill: looking at all of them must not become the work of every request.
    private static let sweepAbove = 10_000

    /// `perSecond` requests in the long run, and `burst` at once; nil instead of a limit for no limit.
    init?(perSecond: Int, burst: Int) {
        guard perSecond > 0 else { return nil }
        self.perSecond = Double(perSecond)
        self.burst = Double(max(burst, 1))
    }

    /// Takes one request out of the token's bucket. When it is empty, returns how long until the next one is
    /// there, in whole seconds.
    func take(_ token: UUID, now: ContinuousClock.Instant = .now) -> Int? {
        state.withLock { state in
            if state.buckets.count > Self.sweepAbove, now >= state.nextSweep ?? now {
                state.buckets = state.buckets.filter { level(of: $1, now) < burst }
                state.nextSweep = now + .seconds(burst / perSecond)
            }
            let left = state.buckets[token].map { level(of: $0, now) } ?? burst
            guard left >= 1 else { return Int(((1 - left) / perSecond).rounded(.up)) }
            state.buckets[token] = Bucket(level: left - 1, at: now)
            return nil
        }
    }

    /// How many tokens have a bucket now.
    var count: Int { state.withLock(\.buckets.count) }

    private func level(of bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        min(burst, bucket.level + (now - bucket.at) / .seconds(1) * perSecond)
    }
}
