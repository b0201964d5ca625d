import CLinux
import Glibc
import Synchronization

/// A dedicated thread that is the executor of one actor.
///
/// The three C libraries block, and are not thread safe. Each of their handles lives in an actor whose
/// executor is such a thread: the handle never leaves it, Swift's cooperative pool never blocks, and other
/// tasks reach the actor by `await`. Between jobs the thread waits in its ``Parking``; after each wait it
/// calls the turn handler, in which the actor reads what arrived.
///
/// A loop keeps itself alive until ``stop()``: whoever starts one must stop it.
package final class LoopThread: SerialExecutor {
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var stopping = false
        /// True once the thread left its loop. A job that comes later gets a short-lived thread of its own.
        var ended = false
    }

    /// The handler in a struct of its own: a bare closure in a generic `Mutex` is wrapped in two more thunks
    /// by each look at it, so that every turn would be slower than the one before.
    private struct Turn {
        var handler: (@Sendable () -> Int32)?
    }

    private let name: String
    private let parking: any Parking
    private let inbox = Mutex(Inbox())
    private let turn = Mutex(Turn())
    private let thread = Atomic<UInt>(0)
    private let turnedAt = Atomic<UInt64>(0)

    /// The longest time between two turns, when nothing happens and the turn handler asks for nothing
    /// sooner. Heartbeats and deadlines are looked at this often.
    package static let idleMilliseconds: Int32 = 1_000

    /// Starts the thread. `name` is what tools show; the kernel keeps 15 bytes of it.
    package init(name: String, parking: any Parking) {
        self.name = name
        self.parking = parking
        progressed()
        startThread { $0.run() }
    }

    /// What runs on the thread after each wait. It returns the most milliseconds to wait next
    /// (0: there is more to do at once). The handler must be quick and must never await.
    package func onTurn(_ handler: (@Sendable () -> Int32)?) {
        turn.withLock { $0.handler = handler }
        parking.wake()
    }

    /// Ends the thread after the jobs that are queued. A job that arrives later is still run, on a
    /// short-lived thread, so that whoever calls the actor too late gets its answer and does not hang;
    /// the turn handler is not called any more.
    package func stop() {
        inbox.withLock { $0.stopping = true }
        parking.wake()
    }

    /// How long ago the loop last came round, in milliseconds. A watchdog reads it from elsewhere:
    /// a library call that never returns shows as a growing figure.
    package var millisecondsSinceTurn: UInt64 {
        let turnedAt = turnedAt.load(ordering: .relaxed)
        let now = Self.now()
        return now > turnedAt ? (now - turnedAt) / 1_000_000 : 0
    }

    /// Says that the thread is alive although its turn takes long: for a turn that makes several
    /// blocking calls, each with a limit of its own. Called on the loop's own thread.
    package func progressed() {
        turnedAt.store(Self.now(), ordering: .relaxed)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        // As soon as the job is queued it may run, and its task may drop the actor and with it this loop,
        // while this call still goes on.
        let kept = Unmanaged.passRetained(self)
        defer { kept.release() }
        let job = UnownedJob(job)
        let (wasEmpty, hasEnded) = inbox.withLock { inbox in
            defer {
                inbox.jobs.append(job)
                inbox.ended = false
            }
            return (inbox.jobs.isEmpty, inbox.ended)
        }
        if hasEnded {
            startThread { $0.runUntilEmpty() }
        } else if wasEmpty {
            parking.wake()
        }
    }

    package func isIsolatingCurrentContext() -> Bool? {
        thread.load(ordering: .relaxed) == UInt(pthread_self())
    }

    package func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the thread of \(name)")
    }

    private func run() {
        becomeCurrent()
        var wait: Int32 = 0
        while true {
            parking.park(milliseconds: wait)
            progressed()
            let stopping = runQueuedJobs()
            if stopping { break }
            let handler = turn.withLock { $0.handler }
            wait = min(handler?() ?? Self.idleMilliseconds, Self.idleMilliseconds)
        }
        runUntilEmpty()
    }

    /// Runs what is queued, and ends the thread only when nothing is: a job that was queued between the
    /// last look and now still has a continuation behind it.
    private func runUntilEmpty() {
        becomeCurrent()
        while true {
            _ = runQueuedJobs()
            let isEmpty = inbox.withLock { inbox in
                guard inbox.jobs.isEmpty else { return false }
                // The system reuses thread numbers: a later thread must not pass for this one.
                thread.store(0, ordering: .relaxed)
                inbox.ended = true
                return true
            }
            if isEmpty { return }
        }
    }

    private func becomeCurrent() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        linux_name_thread(name)
    }

    private func runQueuedJobs() -> Bool {
        let (jobs, stopping) = inbox.withLock { inbox in
            let jobs = inbox.jobs
            if !jobs.isEmpty { inbox.jobs = [] }
            return (jobs, inbox.stopping)
        }
        for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
        return stopping
    }

    /// What a new thread gets: its loop, and what to do there.
    private final class Start: Sendable {
        let loop: LoopThread
        let body: @Sendable (LoopThread) -> Void

        init(_ loop: LoopThread, _ body: @escaping @Sendable (LoopThread) -> Void) {
            self.loop = loop
            self.body = body
        }
    }

    private func startThread(_ body: @escaping @Sendable (LoopThread) -> Void) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(Start(self, body)).toOpaque()
        let failure = pthread_create(
            &handle, nil,
            { context in
                let start = Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
                start.body(start.loop)
                return nil
            }, context)
        precondition(failure == 0, "no thread for \(name): errno \(failure)")
        pthread_detach(handle)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
