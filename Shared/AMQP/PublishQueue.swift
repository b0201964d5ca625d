import Synchronization

/// What tasks hand to a publisher's loop, and what the loop shows them. Usable from any thread.
final class PublishQueue: Sendable {
    /// Messages, and their bytes, that may wait and be under way together. More are not accepted: a caller
    /// that does not wait for its outcomes can't fill the memory.
    static let messageLimit = 50_000
    static let byteLimit = 64 << 20

    private struct State {
        var arrived: [PublishBatch] = []
        /// The batches that may still have a waiter; finished ones are dropped now and then.
        var unfinished: [PublishBatch] = []
        var messages = 0
        var bytes = 0
        var isStarted = false
        var isClosing = false
        var status = LinkStatus.connecting
    }

    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    /// Opens when the loop has ended for good.
    let ended = Gate()

    /// `wake` brings the loop round.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    var status: LinkStatus {
        get { state.withLock { $0.status } }
        set { state.withLock { $0.status = newValue } }
    }

    var isStarted: Bool { state.withLock { $0.isStarted } }
    var isClosing: Bool { state.withLock { $0.isClosing } }

    func start() {
        state.withLock { $0.isStarted = true }
        wake()
    }

    func beginClosing() {
        state.withLock { $0.isClosing = true }
        wake()
    }

    func submit(_ batch: PublishBatch) {
        let (refusal, wasEmpty) = state.withLock { state in Self.accept(batch, &state) }
        if let refusal {
            batch.end(refusal)
        } else if wasEmpty {
            wake()
        }
    }

    /// What arrived since the last call.
    func takeArrived() -> [PublishBatch] {
        state.withLock { state in
            guard !state.arrived.isEmpty else { return [] }
            defer { state.arrived = [] }
            return state.arrived
        }
    }

    /// Ends the batches whose deadline has passed.
    func expire(at now: ContinuousClock.Instant) {
        let overdue = state.withLock { state in
            Self.dropFinished(&state)
            return state.unfinished.filter { $0.deadline <= now }
        }
        for batch in overdue { batch.end("the deadline passed") }
    }

    /// Ends all batches.
    func endAll(_ reason: String) {
        let all = state.withLock { state in
            defer { state.unfinished = [] }
            return state.unfinished
        }
        for batch in all { batch.end(reason) }
    }

    private static func accept(
        _ batch: PublishBatch, _ state: inout State
    ) -> (refusal: String?, wasEmpty: Bool) {
        if state.isClosing { return ("the publisher is closed", false) }
        if isFull(state) { dropFinished(&state) }
        if isFull(state) { return ("too many messages wait to be published", false) }
        state.unfinished.append(batch)
        state.messages += batch.messages.count
        state.bytes += batch.size
        state.arrived.append(batch)
        return (nil, state.arrived.count == 1)
    }

    private static func isFull(_ state: State) -> Bool {
        state.messages >= messageLimit || state.bytes >= byteLimit
    }

    private static func dropFinished(_ state: inout State) {
        state.unfinished.removeAll { $0.isFinished }
        state.messages = state.unfinished.reduce(0) { $0 + $1.messages.count }
        state.bytes = state.unfinished.reduce(0) { $0 + $1.size }
    }
}
