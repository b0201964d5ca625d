import Synchronization

/// Where tasks leave their units for a connection's thread.
///
/// It stands before the actor, so that a call costs one hop there and one back, and so that a call after the
/// end is refused instead of waiting for a thread that is gone.
final class Mailbox: Sendable {
    private struct Box {
        var units: [CallUnit] = []
        var isClosing = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let box = Mutex(Box())

    enum Receipt {
        /// The connection is over: the unit was not taken.
        case refused
        /// Taken; the thread must be woken.
        case first
        /// Taken; the thread has been woken for an earlier unit.
        case further
    }

    func post(_ unit: CallUnit) -> Receipt {
        box.withLock { box in
            if box.isClosing { return .refused }
            box.units.append(unit)
            return box.units.count == 1 ? .first : .further
        }
    }

    /// Exchanges what was posted for the empty `units`; true when the connection is to end.
    func take(into units: inout [CallUnit]) -> Bool {
        box.withLock { box in
            swap(&box.units, &units)
            return box.isClosing
        }
    }

    func close() { box.withLock { $0.isClosing = true } }

    /// Called once by the thread, as its last act.
    func closed() {
        let closers = box.withLock { box in
            box.isClosed = true
            defer { box.closers = [] }
            return box.closers
        }
        for closer in closers { closer.resume() }
    }

    func waitUntilClosed() async {
        await withCheckedContinuation { continuation in
            let isClosed = box.withLock { box in
                if !box.isClosed { box.closers.append(continuation) }
                return box.isClosed
            }
            if isClosed { continuation.resume() }
        }
    }
}
