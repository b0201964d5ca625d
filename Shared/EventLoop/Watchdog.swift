import CLinux
import Glibc
import Synchronization

/// Ends a C library call that would never return, by shutting down its socket from outside.
///
/// librabbitmq 0.11 blocks for ever in two cases: when the peer stops reading while a publish is being
/// written, and when a receive heartbeat is overdue while it publishes (upstream issue 780). Shutting the
/// socket down turns both into an ordinary «connection closed» error. One thread serves the process.
package final class Watchdog: Sendable {
    /// The process's watchdog. Its thread starts with the first guard and looks once a second.
    package static let shared = Watchdog()

    private struct Guarded {
        let loop: LoopThread
        /// A duplicate of the library's descriptor. The library may close its own at any time, and the
        /// system gives the number to the next socket: a duplicate can't hit a stranger.
        let duplicate: Int32
        let limitMilliseconds: UInt64
    }

    private struct State {
        var guarded: [Int: Guarded] = [:]
        var next = 0
        var started = false
    }

    private let state = Mutex(State())

    /// Guards `descriptor`: its socket is shut down when `loop` has not come round for `limitMilliseconds`.
    /// Returns a ticket for ``release(_:)``, which must follow, since the socket stays open until then.
    /// When the process has no descriptor left, the socket is shut down at once: unguarded, it could hang.
    package func watch(_ descriptor: Int32, of loop: LoopThread, limitMilliseconds: UInt64) -> Int {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if duplicate < 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        let (ticket, start) = state.withLock { state in
            defer {
                state.next += 1
                state.started = true
            }
            state.guarded[state.next] = Guarded(
                loop: loop, duplicate: duplicate, limitMilliseconds: limitMilliseconds)
            return (state.next, !state.started)
        }
        if start { startThread() }
        return ticket
    }

    /// Ends the guard. After it returned, the watchdog does not touch the socket any more.
    package func release(_ ticket: Int) {
        let released = state.withLock { $0.guarded.removeValue(forKey: ticket) }
        if let released, released.duplicate >= 0 { close(released.duplicate) }
    }

    private func startThread() {
        var handle = pthread_t()
        let failure = pthread_create(
            &handle, nil,
            { _ in
                linux_name_thread("watchdog")
                while true {
                    sleep(1)
                    Watchdog.shared.look()
                }
            }, nil)
        precondition(failure == 0, "no thread for the watchdog: errno \(failure)")
        pthread_detach(handle)
    }

    private func look() {
        state.withLock { state in
            for guarded in state.guarded.values
            where guarded.loop.millisecondsSinceTurn > guarded.limitMilliseconds {
                shutdown(guarded.duplicate, Int32(SHUT_RDWR))
            }
        }
    }
}
