import Synchronization

/// The deliveries, as bursts: each time all that is there, up to the prefetch. What arrives while a burst is
/// worked on goes into the next, so bursts grow under load and stay small without. For one reader at a time.
///
/// Ends after ``Consumer/cancel()``, ``Consumer/close()``, or when the reading task is cancelled.
package struct DeliveryBursts: AsyncSequence, Sendable {
    package typealias Element = [Delivery]
    package typealias Failure = Never

    let handover: DeliveryHandover

    package struct AsyncIterator: AsyncIteratorProtocol {
        let handover: DeliveryHandover

        package func next() async -> [Delivery]? { await handover.next() }

        package func next(isolation actor: isolated (any Actor)?) async -> [Delivery]? {
            await handover.next()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(handover: handover) }
}

/// Where the consumer's loop leaves deliveries for the task that reads them. Holds the prefetch at most:
/// more is not delivered before some are settled, and a lost session takes its deliveries along.
final class DeliveryHandover: Sendable {
    private struct State {
        var ready: [Delivery] = []
        var reader: CheckedContinuation<[Delivery]?, Never>?
        var isFinished = false
    }

    private let state = Mutex(State())

    func push(_ burst: [Delivery]) {
        guard !burst.isEmpty else { return }
        let reader = state.withLock { state -> CheckedContinuation<[Delivery]?, Never>? in
            guard let reader = state.reader else {
                if state.ready.isEmpty { state.ready = burst } else { state.ready += burst }
                return nil
            }
            state.reader = nil
            return reader
        }
        reader?.resume(returning: burst)
    }

    /// The session is over: the broker delivers again what nobody read yet.
    func dropUnread() {
        state.withLock { $0.ready = [] }
    }

    /// No more will come; what is there can still be read.
    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    func next() async -> [Delivery]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in wait(reader) }
        } onCancel: {
            state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }?.resume(returning: nil)
        }
    }

    private func wait(_ reader: CheckedContinuation<[Delivery]?, Never>) {
        let answer: [Delivery]?? = state.withLock { state in
            // Looked at under the lock: a cancellation before this found no reader to end, and one after it
            // will.
            let isCancelled = Task.isCancelled
            if !state.ready.isEmpty, !isCancelled {
                defer { state.ready = [] }
                return state.ready
            }
            if state.isFinished || isCancelled { return .some(nil) }
            precondition(state.reader == nil, "two tasks read the same deliveries")
            state.reader = reader
            return nil
        }
        if let answer { reader.resume(returning: answer) }
    }
}
