import CLinux
import Glibc
import Synchronization

/// Parks in `poll(2)` on one foreign descriptor and on an event descriptor by which other threads wake it.
package final class PollParking: Parking {
    /// What the loop wants to hear about its descriptor, and what the last park saw.
    private struct Watch {
        var descriptor: Int32 = -1
        var wantsWrite = false
        var readable = false
        var writable = false
    }

    private let event: Int32
    private let watch = Mutex(Watch())

    /// Traps when the process has no descriptor left: nothing can be served without one.
    package init() {
        event = linux_eventfd()
        precondition(event >= 0, "eventfd failed with errno \(errno): raise the limit of open files")
    }

    deinit { close(event) }

    /// Watches `descriptor` for input, and for room to write when `wantsWrite`. `nil` watches nothing.
    package func watch(_ descriptor: Int32?, wantsWrite: Bool = false) {
        watch.withLock {
            $0 = Watch(descriptor: descriptor ?? -1, wantsWrite: wantsWrite)
        }
    }

    /// What the last park saw on the watched descriptor. An error or hang-up counts as readable,
    /// so that the next read reports it.
    package var ready: (readable: Bool, writable: Bool) {
        watch.withLock { ($0.readable, $0.writable) }
    }

    package func park(milliseconds: Int32) {
        let (descriptor, wantsWrite) = watch.withLock { ($0.descriptor, $0.wantsWrite) }
        let seen = withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { entries in
            let wanted = Int16(POLLIN | (wantsWrite ? POLLOUT : 0))
            entries.initializeElement(at: 0, to: pollfd(fd: event, events: Int16(POLLIN), revents: 0))
            entries.initializeElement(at: 1, to: pollfd(fd: descriptor, events: wanted, revents: 0))
            guard poll(entries.baseAddress, 2, milliseconds) > 0 else { return Int32(0) }
            if entries[0].revents != 0 {
                var counter: UInt64 = 0
                _ = read(event, &counter, 8)
            }
            return Int32(entries[1].revents)
        }
        watch.withLock {
            $0.readable = seen & (POLLIN | POLLERR | POLLHUP | POLLNVAL) != 0
            $0.writable = seen & POLLOUT != 0
        }
    }

    package func wake() {
        var one: UInt64 = 1
        _ = write(event, &one, 8)
    }
}
