import Dispatch
import Glibc
import Logging
import Synchronization

/// Ends the process when its services don't end by themselves in time.
///
/// It runs on a thread of its own and hears the signals by itself: it must work just when a blocked call
/// keeps every task of the process from running.
final class ShutdownDeadline: Sendable {
    private struct State {
        var running: [String] = []
        var begun = false
        var signal: Int32?
    }

    private let limitSeconds: UInt32
    private let logger: Logger
    private let state = Mutex(State())
    private let sources = Mutex<[any DispatchSourceSignal]>([])

    init(limitSeconds: UInt32, logger: Logger) {
        self.limitSeconds = limitSeconds
        self.logger = logger
    }

    /// The signal that asked the process to stop, if one did.
    var signal: Int32? { state.withLock { $0.signal } }

    func started(_ service: String) { state.withLock { $0.running.append(service) } }

    func ended(_ service: String) {
        state.withLock { state in
            if let index = state.running.firstIndex(of: service) { state.running.remove(at: index) }
        }
    }

    /// Begins to count when one of `signals` arrives, and calls `then` at the first.
    func watch(_ signals: [Int32], then: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "shutdown")
        sources.withLock { sources in
            for number in signals {
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler {
                    guard self.note(number) else { return }
                    then()
                    self.begin()
                }
                source.activate()
                sources.append(source)
            }
        }
    }

    /// Begins to count, unless that was done.
    func begin() {
        let first = state.withLock { state in
            defer { state.begun = true }
            return !state.begun
        }
        guard first else { return }
        var handle = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let failure = pthread_create(
            &handle, nil,
            { context in
                Unmanaged<ShutdownDeadline>.fromOpaque(context!).takeRetainedValue().wait()
            }, context)
        precondition(failure == 0, "no thread for the shutdown: errno \(failure)")
        pthread_detach(handle)
    }

    private func note(_ number: Int32) -> Bool {
        state.withLock { state in
            defer { state.signal = state.signal ?? number }
            return state.signal == nil
        }
    }

    private func wait() -> Never {
        var left = limitSeconds
        while left > 0 { left = sleep(left) }
        // Should nobody take the log line, the alarm ends the process.
        Glibc.signal(SIGALRM, SIG_DFL)
        alarm(2)
        let running = state.withLock { $0.running }
        logger.critical(
            "did not stop in time, ending the process",
            metadata: [
                "seconds": .stringConvertible(limitSeconds),
                "still_running": .array(running.map { .string($0) }),
            ])
        _exit(1)
    }
}
