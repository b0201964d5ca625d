import EventLoop
import Logging

/// The publisher's side on its own thread: connects, writes what waits, reads the answers.
///
/// Everything happens in ``turn()``; tasks reach it through the ``PublishQueue`` only, so a batch costs one
/// lock and one continuation, however many messages it has.
actor PublishingLoop {
    /// A message under way.
    private struct Ticket {
        let batch: PublishBatch
        let index: Int
    }

    /// Input events per turn, so that a busy broker can't keep the loop from writing.
    private static let eventLimit = 2_000
    /// How long closing waits for the answers to what was written.
    private static let closingLimit = Duration.seconds(5)
    /// How old a channel has to be before it is opened anew because of a refusal.
    private static let renewAge = Duration.seconds(1)

    private nonisolated let loop: LoopThread
    private nonisolated let parking: PollParking
    nonisolated let queue: PublishQueue
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let address: BrokerAddress
    private let topology: Topology
    private let name: String
    private let logger: Logger

    private var link: BrokerLink?
    private var schedule: ReconnectSchedule
    private var tracker = ConfirmTracker<Ticket>()
    /// Batches with messages to write, oldest first; those before `head` are done.
    private var waiting: [PublishBatch] = []
    private var head = 0
    /// Why the broker takes no messages now.
    private var blockedReason: String?
    /// Since when the channel is open, and whether the broker refused a message on it.
    private var openedAt = ContinuousClock.now
    private var wasRefused = false
    private var closeBy: ContinuousClock.Instant?

    init(address: BrokerAddress, topology: Topology, name: String, logger: Logger) {
        let parking = PollParking()
        self.parking = parking
        loop = LoopThread(name: "amqp-publish", parking: parking)
        queue = PublishQueue { parking.wake() }
        self.address = address
        schedule = ReconnectSchedule(nodes: address.nodes.count, first: .random(in: address.nodes.indices))
        self.topology = topology
        self.name = name
        self.logger = logger
    }

    nonisolated func begin() {
        loop.onTurn { self.assumeIsolated { $0.turn() } }
    }

    private func turn() -> Int32 {
        let isClosing = queue.isClosing
        waiting.append(contentsOf: queue.takeArrived())
        if isClosing, link?.channelIsOpen != true { return end() }
        guard queue.isStarted else { return LoopThread.idleMilliseconds }
        do {
            let wait = schedule.wait(at: .now)
            if link?.channelIsOpen != true, wait > 0 { return try idle(wait) }
            let link = try establish()
            let hasMore = try read(link)
            if wasRefused, openedAt.duration(to: .now) >= Self.renewAge {
                try renewChannel(link)
            } else {
                try write(link)
            }
            if isClosing, isDone(at: .now) { return end() }
            return hasMore || link.hasBufferedInput ? 0 : LoopThread.idleMilliseconds
        } catch {
            let wait = lost(error)
            return isClosing ? 0 : wait
        }
    }

    /// While the channel waits to be opened again, the connection still needs its heartbeats.
    private func idle(_ wait: Int32) throws(AMQPError) -> Int32 {
        if let link { _ = try read(link) }
        return wait
    }

    private func establish() throws(AMQPError) -> BrokerLink {
        if let link, link.channelIsOpen { return link }
        let link = try connection()
        try link.openChannel()
        try link.declare(topology)
        try link.selectConfirms()
        openedAt = .now
        wasRefused = false
        schedule.established(at: .now)
        queue.status = blockedReason.map { .blocked($0) } ?? .connected
        logger.info("publisher connected", metadata: ["broker": "\(link.place)"])
        return link
    }

    /// A channel may go on refusing when the queue's trouble is long over: RabbitMQ 3.10 asks, for each message of a channel
    /// on which none was taken yet, the node that led the queue when the channel was opened, also when that node is dead.
    /// A new channel asks the leader of now. Nothing is written until all is answered, so that nothing becomes unknown.
    private func renewChannel(_ link: BrokerLink) throws(AMQPError) {
        guard tracker.openMessages == 0 else { return }
        logger.info(
            "the broker refused a message; opening a new channel", metadata: ["broker": "\(link.place)"])
        try link.closeChannel()
        tracker = ConfirmTracker()
        let link = try establish()
        try write(link)
    }

    private func connection() throws(AMQPError) -> BrokerLink {
        if let link { return link }
        let new = try BrokerLink(
            to: address, at: address.nodes[schedule.node], name: name, bodyLimit: 0, loop: loop)
        parking.watch(new.descriptor)
        link = new
        return new
    }

    // MARK: Reading

    /// True when there may be more.
    private func read(_ link: BrokerLink) throws(AMQPError) -> Bool {
        for _ in 0..<Self.eventLimit {
            guard let event = try link.nextEvent() else { return false }
            handle(event)
        }
        return true
    }

    private func handle(_ event: BrokerLink.Event) {
        switch event {
        case .answered(let tag, let multiple, let accepted):
            if !accepted { wasRefused = true }
            tracker.answered(tag, multiple: multiple, accepted: accepted) { ticket, outcome in
                ticket.batch.settle(ticket.index, outcome)
            }
        case .returned(let content):
            returned(content)
        case .blocked(let reason):
            blockedReason = reason
            queue.status = .blocked(reason)
            logger.warning("the broker takes no messages now", metadata: ["reason": "\(reason)"])
        case .unblocked:
            blockedReason = nil
            if link?.channelIsOpen == true { queue.status = .connected }
            logger.info("the broker takes messages again")
        case .delivered, .consumerCancelled:
            // Nothing is consumed here.
            break
        }
    }

    private func returned(_ content: ContentAssembler.Content) {
        guard case .returned(let code, let text, let exchange, let routingKey) = content.origin
        else { return }
        let found = tracker.returned(code: code, text: text) { ticket in
            let message = ticket.batch.messages[ticket.index]
            return message.id == content.properties.id && message.exchange == exchange
                && message.routingKey == routingKey
        }
        if !found { logger.warning("the broker returned a message that is not under way") }
    }

    // MARK: Writing

    private func write(_ link: BrokerLink) throws(AMQPError) {
        while blockedReason == nil, head < waiting.count {
            let batch = waiting[head]
            while let index = batch.claimNext(where: { tracker.hasRoom(for: $0) }) {
                let message = batch.messages[index]
                tracker.published(Ticket(batch: batch, index: index), bytes: message.approximateSize)
                try link.publish(message, appID: name)
            }
            guard batch.isWritten else { return }
            head += 1
        }
        if head == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1_024 {
            waiting.removeFirst(head)
            head = 0
        }
    }

    // MARK: Ending

    private func lost(_ error: AMQPError) -> Int32 {
        for ticket in tracker.reset() {
            ticket.batch.settle(ticket.index, .unknown(reason: "\(error)"))
        }
        // Of a cluster, the next node may be able to do what this one refuses.
        if !error.leavesConnectionOpen || address.nodes.count > 1 {
            link = nil
            blockedReason = nil
            parking.watch(nil)
        }
        let now = ContinuousClock.now
        let delay = schedule.failed(at: now, random: .random(in: 0..<1))
        queue.status = .disconnected(error)
        logger.warning(
            "publisher disconnected", error: error,
            metadata: ["broker": "\(address)", "next_attempt_in": "\(delay)"])
        return schedule.wait(at: now)
    }

    /// True when closing need not wait any longer.
    private func isDone(at now: ContinuousClock.Instant) -> Bool {
        let limit = closeBy ?? now.advanced(by: Self.closingLimit)
        closeBy = limit
        return now >= limit || (head == waiting.count && tracker.openMessages == 0)
    }

    private func end() -> Int32 {
        queue.endAll("the publisher was closed")
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
