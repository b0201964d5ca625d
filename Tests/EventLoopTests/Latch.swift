import Dispatch

/// Holds threads up until it is opened; then it stays open.
struct Latch: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    /// Blocks the calling thread.
    func wait() {
        semaphore.wait()
        semaphore.signal()
    }
}
