import EventLoop
import Synchronization

typealias TransferResult = Result<HTTPResponse, TransferError>

/// One checked request that waits to be started.
struct Submission: Sendable {
    let id: Int
    let request: HTTPRequest
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<TransferResult, Never>
}

/// How the tasks of the process reach the transfer thread: one lock, and one wake for a burst.
///
/// A transfer is named by a number, never by its handle: handles are used again, so that a late
/// cancellation could hit another transfer.
final class TransferInbox: Sendable {
    struct Content {
        var submissions: [Submission] = []
        var cancelled: [Int] = []
        var closing = false
        var closed: [CheckedContinuation<Void, Never>] = []

        var isEmpty: Bool { submissions.isEmpty && cancelled.isEmpty && closed.isEmpty }
    }

    private struct State {
        var content = Content()
        var nextID = 1
        var ended = false
    }

    private let state = Mutex(State())
    private let parking: PollParking

    init(parking: PollParking) {
        self.parking = parking
    }

    func makeID() -> Int {
        state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
    }

    /// Hands over one transfer; after ``close()`` it fails at once.
    func submit(_ submission: Submission) {
        let closed = state.withLock { state in
            guard !state.content.closing else { return true }
            state.content.submissions.append(submission)
            return false
        }
        if closed { submission.continuation.resume(returning: .failure(.closed)) } else { parking.wake() }
    }

    func cancel(_ id: Int) {
        state.withLock { state in
            if !state.ended { state.content.cancelled.append(id) }
        }
        parking.wake()
    }

    /// Refuses what comes from now on, and makes the thread end what is under way.
    func close() {
        state.withLock { $0.content.closing = true }
        parking.wake()
    }

    /// Returns when the thread has ended everything.
    func waitUntilClosed() async {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state in
                if !state.ended { state.content.closed.append(continuation) }
                return state.ended
            }
            if ended { continuation.resume() } else { parking.wake() }
        }
    }

    /// What arrived since the last call. Only the transfer thread calls it.
    func take() -> Content {
        state.withLock { state in
            var taken = Content()
            taken.closing = state.content.closing
            guard !state.content.isEmpty else { return taken }
            swap(&taken, &state.content)
            state.content.closing = taken.closing
            return taken
        }
    }

    /// The last call of the transfer thread: what is handed over afterwards is answered here.
    func end() -> Content {
        state.withLock { state in
            state.ended = true
            defer { state.content = Content(closing: true) }
            return state.content
        }
    }
}

extension TransferError {
    static let closed = TransferError(
        kind: .cancelled, message: "the client is closed", requestMayHaveBeenSent: false)
}
