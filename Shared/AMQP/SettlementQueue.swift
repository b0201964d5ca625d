import Synchronization

/// What tasks tell a consumer's loop, and what the loop shows them. Usable from any thread.
final class SettlementQueue: Sendable {
    /// What the consumer's owner wants. Later ones win; there is no way back from `cancelled` and `closed`.
    enum Wish: Int, Sendable {
        case idle, consuming, paused, cancelled, closed
    }

    struct Decision: Sendable {
        let tag: DeliveryTag
        let settlement: Settlement
    }

    private struct State {
        var decisions: [Decision] = []
        var wish = Wish.idle
        var status = LinkStatus.connecting
    }

    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    /// Opens when no further delivery will come.
    let cancelled = Gate()
    /// Opens when the loop has ended for good.
    let ended = Gate()

    /// `wake` brings the loop round.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    var status: LinkStatus {
        get { state.withLock { $0.status } }
        set { state.withLock { $0.status = newValue } }
    }

    var wish: Wish { state.withLock { $0.wish } }

    func settle(_ tags: [DeliveryTag], _ settlement: Settlement) {
        guard !tags.isEmpty else { return }
        let wasEmpty = state.withLock { state in
            let wasEmpty = state.decisions.isEmpty
            // After the end nobody takes them.
            if state.status != .closed {
                state.decisions.reserveCapacity(state.decisions.count + tags.count)
                for tag in tags { state.decisions.append(Decision(tag: tag, settlement: settlement)) }
            }
            return wasEmpty
        }
        if wasEmpty { wake() }
    }

    func takeDecisions() -> [Decision] {
        state.withLock { state in
            guard !state.decisions.isEmpty else { return [] }
            defer { state.decisions = [] }
            return state.decisions
        }
    }

    func wants(_ wish: Wish) {
        state.withLock { state in
            let isFinal = state.wish.rawValue >= Wish.cancelled.rawValue
            if !isFinal || wish.rawValue > state.wish.rawValue { state.wish = wish }
        }
        wake()
    }

    /// The first wish, unless a later one came before.
    func start() {
        if wish == .idle { wants(.consuming) }
    }
}
