/// Whether leases may be judged. A pure value: the caller brings the clock.
///
/// While the database is away nobody renews a lease, so that all look lost when it is back: workers get the time that a
/// renewal takes first. Otherwise each failover would end all of them, and each of their runs would be begun again.
struct OutageGrace: Sendable {
    /// A database that was away for so long counts as one that was away.
    static let outage = Duration.seconds(5)
    /// How long workers have for a renewal then: a third of the usual lease, and the time in which they connect again.
    static let grace = Duration.seconds(15)

    private var answeredAt: ContinuousClock.Instant?
    private var judgesFrom: ContinuousClock.Instant?

    /// The database has answered.
    mutating func answered(at now: ContinuousClock.Instant) {
        if isAway(at: now) { judgesFrom = now.advanced(by: Self.grace) }
        answeredAt = now
    }

    func mayJudge(at now: ContinuousClock.Instant) -> Bool {
        !isAway(at: now) && judgesFrom.map { now >= $0 } != false
    }

    private func isAway(at now: ContinuousClock.Instant) -> Bool {
        answeredAt.map { $0.duration(to: now) > Self.outage } == true
    }
}
