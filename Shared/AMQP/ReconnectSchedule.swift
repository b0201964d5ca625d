/// When to try the broker again, and which of its nodes. A pure value: the caller brings clock and randomness.
///
/// After each failure it is the next node's turn, also after a connection that was good: the node that it led to is
/// the likeliest to be gone. The delays grow over all nodes together, so that a cluster that is away as a whole is
/// not tried more often than a single broker.
struct ReconnectSchedule: Sendable {
    /// A connection that lived this long was a good one: the delays start again from the shortest.
    /// One that breaks sooner counts as another failure, so that a broker which accepts and drops is not
    /// tried in a hot loop.
    static let goodLifetime = Duration.seconds(5)

    /// Whose turn it is: an index of the address's nodes.
    private(set) var node: Int
    private let nodeCount: Int
    private var backoff: Backoff
    private var dueAt: ContinuousClock.Instant?
    private var establishedAt: ContinuousClock.Instant?

    /// `first` is the node to begin with. Programs that begin with different ones share the cluster's work.
    init(nodes: Int, first: Int, backoff: Backoff = Backoff()) {
        precondition(0..<nodes ~= first)
        node = first
        nodeCount = nodes
        self.backoff = backoff
    }

    mutating func established(at now: ContinuousClock.Instant) {
        establishedAt = now
        dueAt = nil
    }

    /// Returns the delay until the next attempt, which is the next node's.
    mutating func failed(at now: ContinuousClock.Instant, random: Double) -> Duration {
        if let establishedAt, establishedAt.duration(to: now) >= Self.goodLifetime { backoff.reset() }
        establishedAt = nil
        node = (node + 1) % nodeCount
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
