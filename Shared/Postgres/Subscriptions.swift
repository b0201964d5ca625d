import Synchronization

/// Who listens to which channel, and for which channels the session of now has a LISTEN.
final class Subscriptions: Sendable {
    /// The most notifications kept for one subscriber; then the oldest are dropped.
    private static let bufferLimit = 256

    private struct State {
        var subscribers: [String: [Int: AsyncStream<String>.Continuation]] = [:]
        var established: Set<String> = []
        /// Counts the sessions that were lost.
        var session = 0
        var nextID = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    /// The channels without a LISTEN, and the session in which they lack it.
    var missing: (channels: [String], session: Int) {
        state.withLock { state in
            (state.subscribers.keys.filter { !state.established.contains($0) }, state.session)
        }
    }

    func subscribe(to channel: String) -> AsyncStream<String> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(Self.bufferLimit))
        let id = state.withLock { state -> Int? in
            if state.isClosed { return nil }
            state.nextID += 1
            state.subscribers[channel, default: [:]][state.nextID] = continuation
            // A second subscriber must also hear from when on it can rely on the channel.
            if state.established.contains(channel) { continuation.yield("") }
            return state.nextID
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.unsubscribe(id, from: channel) }
        return stream
    }

    /// A channel that is left by its last subscriber keeps its LISTEN until the session ends.
    private func unsubscribe(_ id: Int, from channel: String) {
        state.withLock { state in
            state.subscribers[channel]?[id] = nil
            if state.subscribers[channel]?.isEmpty == true { state.subscribers[channel] = nil }
        }
    }

    func deliver(_ payload: String, on channel: String) {
        for subscriber in subscribers(of: [channel]) { subscriber.yield(payload) }
    }

    /// Notes that LISTEN took effect, unless that session is lost again, and tells the subscribers to look.
    func established(_ channels: [String], session: Int) {
        let isCurrent = state.withLock { state in
            if state.session == session { state.established.formUnion(channels) }
            return state.session == session
        }
        guard isCurrent else { return }
        for subscriber in subscribers(of: channels) { subscriber.yield("") }
    }

    func lost() {
        state.withLock { state in
            state.established = []
            state.session += 1
        }
    }

    func close() {
        let all = state.withLock { state in
            state.isClosed = true
            defer { state.subscribers = [:] }
            return state.subscribers.values.flatMap(\.values)
        }
        for subscriber in all { subscriber.finish() }
    }

    private func subscribers(of channels: [String]) -> [AsyncStream<String>.Continuation] {
        state.withLock { state in channels.flatMap { state.subscribers[$0]?.values.map { $0 } ?? [] } }
    }
}
