import CLibPQ
import EventLoop
import Logging
import Synchronization

/// One connection: its libpq handle never leaves this actor, whose executor is a thread of its own.
///
/// Units are sent as they come and answered in order (pipeline mode). The connection opens when a unit needs
/// it, and again after a loss; units that were not sent yet are then sent on the new one. After a failed
/// attempt it waits longer each time, and calls fail at the next failure instead of waiting for it.
actor PostgresConnection {
    enum Event: Sendable {
        case notification(channel: String, payload: String)
        case lost
    }

    enum State { case idle, connecting, ready, stopped }

    private static let closed = PostgresError(.closed, "the connection was closed by this program")

    nonisolated let configuration: PostgresConfiguration
    nonisolated let logger: Logger
    nonisolated let parking = PollParking()
    /// When the next attempt to connect is allowed, in nanoseconds of the monotonic clock; 0 when the last
    /// one succeeded. The pool avoids a connection that has trouble.
    nonisolated let retryAt = Atomic<UInt64>(0)
    private nonisolated let loop: LoopThread
    private nonisolated let mailbox = Mailbox()
    private nonisolated let onEvent: (@Sendable (Event) -> Void)?
    let notices: Notices

    var handle: OpaquePointer?
    var state = State.idle
    var connectDeadline: UInt64 = 0
    var connectWantsWrite = false
    var connectFailures = 0
    /// With which of the address's servers the next attempt begins, counted round.
    var firstServer = 0
    /// How many servers of the attempt under way said nothing in time, and of how many.
    var silentServers = 0
    var serverCount = 1
    var pending = Queue<CallUnit>()
    var flights = Queue<Flight>()
    /// What the server knows by name; a preparation that is under way is not used before it succeeded.
    var prepared: [Statement: (name: [CChar], isReady: Bool)] = [:]
    /// The lease that has a transaction open here.
    var openLease: Int?
    /// A prepared statement went stale, or the server takes no changes any more: a new session is opened as soon as
    /// nothing is under way.
    var isRetiring = false
    var isWriteBlocked = false
    private var arrived: [CallUnit] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Starts the thread; ``close()`` must end it. `onEvent` is called on that thread.
    init(
        _ configuration: PostgresConfiguration, name: String, logger: Logger,
        onEvent: (@Sendable (Event) -> Void)? = nil
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        notices = Notices(logger: logger)
        loop = LoopThread(name: name, parking: parking)
        loop.onTurn { [self] in assumeIsolated { $0.turn() } }
    }

    /// Sends calls as one unit and waits for its outcome, until the client's deadline.
    nonisolated func run(
        _ calls: [Call], as part: CallUnit.Part = .alone, commit: CallUnit.CommitPoint = .none
    ) async -> Result<[Rows], PostgresError> {
        await withCheckedContinuation { post(calls, as: part, commit: commit, to: $0) }
    }

    /// Sends calls as one unit, behind all that were posted before.
    nonisolated func post(
        _ calls: [Call], as part: CallUnit.Part, commit: CallUnit.CommitPoint,
        to reply: CheckedContinuation<Result<[Rows], PostgresError>, Never>
    ) {
        let deadline = Clock.now() + configuration.clientDeadline.nanoseconds
        let unit = CallUnit(calls: calls, part: part, commitPoint: commit, deadline: deadline, reply: reply)
        switch mailbox.post(unit) {
        case .refused: reply.resume(returning: .failure(Self.closed))
        case .first: parking.wake()
        case .further: break
        }
    }

    /// Begins to close: what is under way fails.
    nonisolated func close() {
        mailbox.close()
        parking.wake()
    }

    /// Returns when the connection is closed and its thread is about to end.
    nonisolated func waitUntilClosed() async { await mailbox.waitUntilClosed() }

    // MARK: The turn

    /// One round of the loop. Returns how many milliseconds it may wait.
    private func turn() -> Int32 {
        let isClosing = mailbox.take(into: &arrived)
        for unit in arrived {
            if belongsToLostSession(unit) {
                unit.reply.resume(returning: .failure(Self.transactionLost))
            } else {
                pending.append(unit)
            }
        }
        arrived.removeAll(keepingCapacity: true)
        if isClosing {
            stop()
            return 0
        }
        let now = Clock.now()
        if state == .idle, !pending.isEmpty, now >= retryAt.load(ordering: .relaxed) { startConnecting(now) }
        if state == .connecting { continueConnecting(now) }
        if state == .ready { exchange() }
        expire(now)
        return waitMilliseconds(now)
    }

    private func exchange() {
        if parking.ready.readable { receive() }
        if state == .ready { send() }
        // libpq reads while it can't write: those replies no longer show on the socket.
        if state == .ready, isWriteBlocked { readResults() }
        if state == .ready, let handle { parking.watch(PQsocket(handle), wantsWrite: isWriteBlocked) }
    }

    /// Whether the unit's transaction is not open here, nor about to be opened. Known at once, so that a late
    /// ROLLBACK does not make the connection open again.
    private func belongsToLostSession(_ unit: CallUnit) -> Bool {
        switch unit.part {
        case .alone, .first: false
        case .inside(let lease), .last(let lease):
            openLease != lease && !pending.contains { $0.part == .first(lease: lease) }
        }
    }

    private func waitMilliseconds(_ now: UInt64) -> Int32 {
        var wait = LoopThread.idleMilliseconds
        func until(_ time: UInt64) { wait = min(wait, Clock.milliseconds(from: now, until: time)) }
        if let flight = flights.first { until(flight.unit.deadline) }
        if let unit = pending.first { until(unit.deadline) }
        if state == .connecting { until(connectDeadline) }
        if state == .idle, !pending.isEmpty { until(retryAt.load(ordering: .relaxed)) }
        return wait
    }

    /// Ends what is past its deadline. Units are in the order of their deadlines, or nearly.
    private func expire(_ now: UInt64) {
        while let unit = pending.first, unit.deadline <= now {
            _ = pending.popFirst()
            let text = "no connection within \(configuration.clientDeadline)"
            unit.reply.resume(returning: .failure(PostgresError(.deadline, text)))
        }
        if let flight = flights.first, flight.unit.deadline <= now {
            lost(PostgresError(.deadline, "the server did not reply within \(configuration.clientDeadline)"))
        }
    }

    // MARK: The end of a session

    /// Ends a session that broke or can't be used any more. What was sent fails, what was not stays.
    func lost(_ cause: PostgresError) {
        logger.debug("database session ended", metadata: ["reason": "\(cause.message)"])
        let sent = flights.drain()
        let waiting = pending.drain()
        disconnect()
        let now = Clock.now()
        for flight in sent {
            let isCulprit = cause.kind != .deadline || flight.unit.deadline <= now
            let own = isCulprit ? cause : PostgresError(.connection, "closed: an earlier call got no reply")
            flight.unit.reply.resume(returning: .failure(flight.outcome(lost: own)))
        }
        for unit in waiting {
            switch unit.part {
            case .alone, .first: pending.append(unit)
            case .inside, .last: unit.reply.resume(returning: .failure(Self.transactionLost))
            }
        }
        onEvent?(.lost)
    }

    static let transactionLost = PostgresError(.connection, "the connection was lost inside a transaction")

    func disconnect() {
        // First out of the poll: a closed descriptor's number is soon another's.
        parking.watch(nil)
        if let handle { PQfinish(handle) }
        handle = nil
        state = .idle
        prepared.removeAll()
        openLease = nil
        isRetiring = false
        isWriteBlocked = false
    }

    func failPending(_ error: PostgresError) {
        for unit in pending.drain() { unit.reply.resume(returning: .failure(error)) }
    }

    func emitNotifications() {
        guard let handle else { return }
        while let notification = PQnotifies(handle) {
            let channel = String(cString: notification.pointee.relname)
            let payload = String(cString: notification.pointee.extra)
            PQfreemem(notification)
            onEvent?(.notification(channel: channel, payload: payload))
        }
    }

    private func stop() {
        let sent = flights.drain()
        disconnect()
        state = .stopped
        for flight in sent {
            flight.unit.reply.resume(returning: .failure(flight.outcome(lost: Self.closed)))
        }
        failPending(Self.closed)
        loop.onTurn(nil)
        loop.stop()
        mailbox.closed()
    }
}
