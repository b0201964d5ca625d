/// When to try the broker again. A pure value: the caller brings clock and randomness.
struct ReconnectSchedule: Sendable {
    /// A connection that lived this long was a good one: the delays start again from the shortest.
    /// One that breaks sooner counts as another failure, so that a broker which accepts and drops is not
    /// tried in a hot loop.
    static let goodLifetime = Duration.seconds(5)

    private var backoff: Backoff
    private var dueAt: ContinuousClock.Instant?
    private var establishedAt: ContinuousClock.Instant?

    init(backoff: Backoff = Backoff()) {
        self.backoff = backoff
    }

    mutating func established(at now: ContinuousClock.Instant) {
        establishedAt = now
        dueAt = nil
    }

    /// Returns the delay until the next attempt.
    mutating func failed(at now: ContinuousClock.Instant, random: Double) -> Duration {
        if let establishedAt, establishedAt.duration(to: now) >= Self.goodLifetime { backoff.reset() }
        establishedAt = nil
        let delay = Duration.milliseconds(backoff.next(random: random))
        dueAt = now.advanced(by: delay)
        return delay
    }

    /// Milliseconds until the next attempt is due; 0: now.
    func wait(at now: ContinuousClock.Instant) -> Int32 {
        guard let dueAt, now < dueAt else { return 0 }
        let (seconds, attoseconds) = now.duration(to: dueAt).components
        return Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
