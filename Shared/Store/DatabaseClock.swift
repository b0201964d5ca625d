package import FoundationEssentials
import Synchronization

/// The database's clock, as far as this process knows it without asking.
///
/// Each reading of facts brings the database's time along; between readings the monotonic clock counts on.
/// Leases and deadlines are never judged by it (the statements do that themselves): it dates events, so that a
/// run's moments come from one clock whichever machine wrote them.
package final class DatabaseClock: Sendable {
    private let reading = Mutex<(time: Date, at: ContinuousClock.Instant)?>(nil)

    package init() {}

    /// Takes over a time that was just read from the database.
    package func set(_ time: Date) {
        let now = ContinuousClock.now
        reading.withLock { $0 = (time, now) }
    }

    /// The database's time now; this machine's own as long as none was read.
    package func now() -> Date {
        guard let (time, at) = reading.withLock({ $0 }) else { return Date() }
        return time.addingTimeInterval((ContinuousClock.now - at).seconds)
    }
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
