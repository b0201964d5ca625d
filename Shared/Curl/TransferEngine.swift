import CCurl
import EventLoop

/// The transfer thread's side: owns every handle, starts what the inbox brings, and answers what ended.
actor TransferEngine {
    private struct Running {
        let handle: EasyHandle
        let submission: Submission
    }

    /// The most transfers at once, those that wait for a connection included.
    static let mostTransfers = 4_096
    /// A handle that nobody uses keeps about 6 KiB.
    private static let mostIdleHandles = 512

    private let userAgent: String
    private let multi: MultiHandle
    private let loop: LoopThread
    private let inbox: TransferInbox
    private var running: [Int: Running] = [:]
    private var idle: [EasyHandle] = []
    private var nextDeadline: ContinuousClock.Instant?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Starts the thread. It ends when the inbox is closed.
    init(userAgent: String, maxConnectionsPerHost: Int, parking: PollParking, inbox: TransferInbox) {
        self.userAgent = userAgent
        self.inbox = inbox
        multi = MultiHandle(maxConnectionsPerHost: maxConnectionsPerHost)
        parking.watch(multi.descriptor)
        loop = LoopThread(name: "curl", parking: parking)
        // The loop keeps the engine until it is closed, and the engine the loop.
        loop.onTurn { self.assumeIsolated { $0.turn() } }
    }

    private func turn() -> Int32 {
        let arrived = inbox.take()
        for submission in arrived.submissions { start(submission) }
        for id in arrived.cancelled { stop(id, kind: .cancelled, message: "the task was cancelled") }
        multi.drive()
        while let (id, code) = multi.nextEnded() { finish(id, code) }
        stopOverdue()
        if arrived.closing {
            shutDown(waiting: arrived.closed)
            return 0
        }
        return millisecondsToWait()
    }

    private func start(_ submission: Submission) {
        do {
            try begin(submission)
        } catch {
            submission.continuation.resume(returning: .failure(error))
        }
    }

    private func begin(_ submission: Submission) throws(TransferError) {
        guard running.count < Self.mostTransfers, let handle = idle.popLast() ?? EasyHandle() else {
            throw TransferError(
                kind: .overloaded, message: "too many transfers at once", requestMayHaveBeenSent: false)
        }
        do {
            try handle.prepare(submission.request, id: submission.id, userAgent: userAgent)
        } catch {
            keep(handle)
            throw error
        }
        guard multi.add(handle) else {
            keep(handle)
            throw .invalid("libcurl refuses the transfer")
        }
        running[submission.id] = Running(handle: handle, submission: submission)
        nextDeadline = min(nextDeadline ?? submission.deadline, submission.deadline)
    }

    private func finish(_ id: Int, _ code: CURLcode) {
        guard let transfer = running[id] else { return }
        let handle = transfer.handle
        end(transfer, code == CURLE_OK ? .success(handle.response()) : .failure(handle.httpFailure(code)))
    }

    private func stop(_ id: Int, kind: TransferError.Kind, message: String) {
        guard let transfer = running[id] else { return }
        let sent = transfer.handle.requestsBegun > 0
        end(transfer, .failure(TransferError(kind: kind, message: message, requestMayHaveBeenSent: sent)))
    }

    private func end(_ transfer: Running, _ result: TransferResult) {
        running[transfer.submission.id] = nil
        multi.remove(transfer.handle)
        keep(transfer.handle)
        transfer.submission.continuation.resume(returning: result)
    }

    private func keep(_ handle: EasyHandle) {
        guard idle.count < Self.mostIdleHandles else { return }
        handle.reset()
        idle.append(handle)
    }

    /// Deadlines are kept here because curl's own time-out does not run while a transfer waits for a
    /// free connection. All are looked at only when the earliest one has passed.
    private func stopOverdue() {
        let now = ContinuousClock.now
        guard let nextDeadline, nextDeadline <= now else { return }
        for (id, transfer) in running where transfer.submission.deadline <= now {
            stop(id, kind: .timeout, message: "no complete answer in time")
        }
        self.nextDeadline = running.values.map(\.submission.deadline).min()
    }

    private func millisecondsToWait() -> Int32 {
        guard let next = [nextDeadline, multi.timer].compactMap(\.self).min() else {
            return LoopThread.idleMilliseconds
        }
        let left = (next - .now) / .milliseconds(1)
        return Int32(min(max(left.rounded(.up), 0), Double(LoopThread.idleMilliseconds)))
    }

    private func shutDown(waiting: [CheckedContinuation<Void, Never>]) {
        let late = inbox.end()
        for id in Array(running.keys) { stop(id, kind: .cancelled, message: "the client is closed") }
        for submission in late.submissions { submission.continuation.resume(returning: .failure(.closed)) }
        idle = []
        loop.onTurn(nil)
        loop.stop()
        for continuation in waiting + late.closed { continuation.resume() }
    }
}
