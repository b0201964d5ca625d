import CCurl
import Glibc
import Synchronization

/// Sends mails, each on a thread that waits for the relay.
///
/// They can't share the transfer thread of HTTP. libcurl blocks in the last step of an SMTP transfer until
/// the relay answers. And a handle that is taken out half-way first ends the message properly, so that the
/// relay would accept a mail that was cut off: a mail has to be stopped from inside, by a callback.
final class MailRoom: Sendable {
    private struct Job: Sendable {
        let id: Int
        let mail: PreparedMail
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Result<Void, TransferError>, Never>
    }

    private struct State {
        var queue: [Job] = []
        var stopped: Set<Int> = []
        var threads = 0
        var nextID = 1
        var closing = false
        var closed: [CheckedContinuation<Void, Never>] = []
    }

    private enum Action {
        case refuse(TransferError)
        case startThread
        case wait
    }

    /// Mails that are sent at the same time.
    private static let mostThreads = 8
    /// Mails that wait for one of the threads.
    private static let mostWaiting = 1_000

    private let state = Mutex(State())

    init() { CurlLibrary.start() }

    func send(_ mail: PreparedMail, timeout: Duration) async throws(TransferError) {
        let deadline = ContinuousClock.now + timeout
        let id = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        // Curl looks at the deadline while it sends; this looks at it while the mail waits.
        let alarm = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            withdraw(id, .waitedTooLong)
        }
        defer { alarm.cancel() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                submit(Job(id: id, mail: mail, deadline: deadline, continuation: continuation))
                // A cancellation that came before found nothing to withdraw.
                if Task.isCancelled { stop(id) }
            }
        } onCancel: {
            stop(id)
        }
        state.withLock { _ = $0.stopped.remove(id) }
        try result.get()
    }

    /// Stops what is under way within about a second, and returns when no thread is left.
    func close() async {
        let waiting = state.withLock { state in
            state.closing = true
            defer { state.queue = [] }
            return state.queue
        }
        for job in waiting { job.continuation.resume(returning: .failure(.closed)) }
        await withCheckedContinuation { continuation in
            let idle = state.withLock { state in
                if state.threads > 0 { state.closed.append(continuation) }
                return state.threads == 0
            }
            if idle { continuation.resume() }
        }
    }

    private func submit(_ job: Job) {
        let action: Action = state.withLock { state in
            guard !state.closing else { return .refuse(.closed) }
            guard state.queue.count < Self.mostWaiting else { return .refuse(.tooManyMails) }
            state.queue.append(job)
            guard state.threads < Self.mostThreads else { return .wait }
            state.threads += 1
            return .startThread
        }
        switch action {
        case .refuse(let error): job.continuation.resume(returning: .failure(error))
        case .startThread: startThread()
        case .wait: break
        }
    }

    private func stop(_ id: Int) {
        state.withLock { _ = $0.stopped.insert(id) }
        withdraw(id, .cancelledBeforeSending)
    }

    /// Answers a mail that still waits; one that is being sent is left to its callback.
    private func withdraw(_ id: Int, _ error: TransferError) {
        let job = state.withLock { state -> Job? in
            guard let index = state.queue.firstIndex(where: { $0.id == id }) else { return nil }
            return state.queue.remove(at: index)
        }
        job?.continuation.resume(returning: .failure(error))
    }

    private func startThread() {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(
            &handle, nil,
            { context in
                Unmanaged<MailRoom>.fromOpaque(context!).takeRetainedValue().work()
                return nil
            }, context)
        precondition(failure == 0, "no thread for mails: errno \(failure)")
        pthread_detach(handle)
    }

    /// The thread's life: the mails that wait, one after the other.
    private func work() {
        while let job = next() {
            let result = MailTransfer.perform(job.mail, deadline: job.deadline) { self.shallStop(job.id) }
            job.continuation.resume(returning: result)
        }
    }

    private func next() -> Job? {
        let (job, closed) = state.withLock { state -> (Job?, [CheckedContinuation<Void, Never>]) in
            if !state.queue.isEmpty { return (state.queue.removeFirst(), []) }
            state.threads -= 1
            guard state.threads == 0 else { return (nil, []) }
            defer { state.closed = [] }
            return (nil, state.closed)
        }
        for continuation in closed { continuation.resume() }
        return job
    }

    private func shallStop(_ id: Int) -> Bool {
        state.withLock { $0.closing || $0.stopped.contains(id) }
    }
}

extension TransferError {
    fileprivate static let tooManyMails = TransferError(
        kind: .overloaded, message: "too many mails wait", requestMayHaveBeenSent: false)
    fileprivate static let waitedTooLong = TransferError(
        kind: .timeout, message: "no thread was free in time", requestMayHaveBeenSent: false)
    fileprivate static let cancelledBeforeSending = TransferError(
        kind: .cancelled, message: "the task was cancelled", requestMayHaveBeenSent: false)
}
