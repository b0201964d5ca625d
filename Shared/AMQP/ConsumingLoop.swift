import EventLoop
import Logging

/// The consumer's side on its own thread: connects, reads deliveries, tells the broker what was decided.
///
/// Everything happens in ``turn()``; tasks reach it through the ``SettlementQueue`` and read from the
/// ``DeliveryHandover``.
actor ConsumingLoop {
    /// Input events per turn, so that a busy broker can't keep the loop from settling.
    private static let eventLimit = 1_000

    private nonisolated let loop: LoopThread
    private nonisolated let parking: PollParking
    nonisolated let queue: SettlementQueue
    nonisolated let handover = DeliveryHandover()
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let address: BrokerAddress
    private let topology: Topology
    private let source: String
    private let prefetch: UInt16
    private let bodyLimit: Int
    private let name: String
    private let logger: Logger

    private var link: BrokerLink?
    private var schedule: ReconnectSchedule
    private var tracker = SettlementTracker()
    /// Counts the channels opened, since delivery tags are per channel.
    private var session = 0
    private var isConsuming = false

    init(
        address: BrokerAddress, topology: Topology, queue source: String, prefetch: UInt16, bodyLimit: Int,
        name: String, logger: Logger
    ) {
        let parking = PollParking()
        self.parking = parking
        loop = LoopThread(name: "amqp-consume", parking: parking)
        queue = SettlementQueue { parking.wake() }
        self.address = address
        schedule = ReconnectSchedule(nodes: address.nodes.count, first: .random(in: address.nodes.indices))
        self.topology = topology
        self.source = source
        self.prefetch = prefetch
        self.bodyLimit = bodyLimit
        self.name = name
        self.logger = logger
    }

    nonisolated func begin() {
        loop.onTurn { self.assumeIsolated { $0.turn() } }
    }

    private func turn() -> Int32 {
        let wish = queue.wish
        do {
            let wait = try serve(wish)
            if wish == .closed { return end() }
            return wait
        } catch {
            let wait = lost(error)
            if wish == .closed { return end() }
            // Whoever cancels need not wait for a broker that is away.
            return wish == .cancelled ? 0 : wait
        }
    }

    private func serve(_ wish: SettlementQueue.Wish) throws(AMQPError) -> Int32 {
        var hasMore = false
        var wait = LoopThread.idleMilliseconds
        if let link {
            hasMore = try read(link)
            try tellDecisions(link)
        } else {
            // Without a session there is nothing that a decision could settle.
            _ = queue.takeDecisions()
        }
        switch wish {
        case .idle: break
        case .consuming: wait = try startConsuming()
        case .paused: try stopConsuming()
        case .cancelled, .closed:
            try stopConsuming()
            handover.finish()
            queue.cancelled.open()
        }
        return hasMore || link?.hasBufferedInput == true ? 0 : wait
    }

    // MARK: Reading and settling

    /// True when there may be more.
    private func read(_ link: BrokerLink) throws(AMQPError) -> Bool {
        var burst: [Delivery] = []
        // What came before an error was delivered too, but its session is over: it is delivered again.
        for _ in 0..<Self.eventLimit {
            guard let event = try link.nextEvent() else {
                handover.push(burst)
                return false
            }
            switch event {
            case .delivered(let content): burst.append(try delivery(content))
            case .consumerCancelled:
                handover.push(burst)
                isConsuming = false
                throw AMQPError(.consumerCancelled, "the broker ended the consumer of \(source)")
            case .answered, .returned, .blocked, .unblocked: break
            }
        }
        handover.push(burst)
        return true
    }

    private func delivery(_ content: ContentAssembler.Content) throws(AMQPError) -> Delivery {
        guard case .delivery(let number, let redelivered, let exchange, let routingKey) = content.origin,
            tracker.delivered(number)
        else { throw AMQPError(.protocolViolation, "the broker skipped a delivery tag") }
        return Delivery(
            tag: DeliveryTag(session: session, number: number), exchange: exchange, routingKey: routingKey,
            redelivered: redelivered, properties: content.properties, headers: content.headers,
            body: content.body, bodySize: content.bodySize, oversized: content.oversized)
    }

    private func tellDecisions(_ link: BrokerLink) throws(AMQPError) {
        let decisions = queue.takeDecisions()
        guard !decisions.isEmpty, link.channelIsOpen else { return }
        for decision in decisions where decision.tag.session == session {
            tracker.settle(decision.tag.number, decision.settlement)
        }
        for command in tracker.commands() { try link.settle(command) }
    }

    // MARK: Consuming

    /// Returns the milliseconds to wait at most.
    private func startConsuming() throws(AMQPError) -> Int32 {
        guard !isConsuming else { return LoopThread.idleMilliseconds }
        let wait = schedule.wait(at: .now)
        guard wait == 0 else { return wait }
        let link = try connection()
        if !link.channelIsOpen {
            session += 1
            tracker = SettlementTracker()
            try link.openChannel()
        }
        try link.declare(topology)
        try link.consume(source, prefetch: prefetch)
        isConsuming = true
        schedule.established(at: .now)
        queue.status = .connected
        logger.info("consumer connected", metadata: ["broker": "\(link.place)", "queue": "\(source)"])
        // The answer and the first deliveries may have come together.
        return 0
    }

    private func connection() throws(AMQPError) -> BrokerLink {
        if let link { return link }
        let new = try BrokerLink(
            to: address, at: address.nodes[schedule.node], name: name, bodyLimit: bodyLimit, loop: loop)
        parking.watch(new.descriptor)
        link = new
        return new
    }

    /// Afterwards every delivery that came was handed over.
    private func stopConsuming() throws(AMQPError) {
        guard isConsuming, let link else { return }
        try link.cancelConsume()
        isConsuming = false
        while try read(link) {}
    }

    // MARK: Ending

    private func lost(_ error: AMQPError) -> Int32 {
        let keepsChannel = error.code == .consumerCancelled
        if !keepsChannel {
            isConsuming = false
            // Tags of the session that ended must not settle anything of the next.
            session += 1
            tracker = SettlementTracker()
            handover.dropUnread()
        }
        // Of a cluster, the next node may be able to do what this one refuses.
        if !keepsChannel, !error.leavesConnectionOpen || address.nodes.count > 1 {
            link = nil
            parking.watch(nil)
        }
        let now = ContinuousClock.now
        let delay = schedule.failed(at: now, random: .random(in: 0..<1))
        queue.status = .disconnected(error)
        logger.warning(
            "consumer disconnected", error: error,
            metadata: ["broker": "\(address)", "queue": "\(source)", "next_attempt_in": "\(delay)"])
        return schedule.wait(at: now)
    }

    private func end() -> Int32 {
        handover.finish()
        queue.cancelled.open()
        link?.close()
        link = nil
        parking.watch(nil)
        queue.status = .closed
        loop.onTurn(nil)
        loop.stop()
        queue.ended.open()
        return 0
    }
}
