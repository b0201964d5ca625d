import EventLoop
import Glibc

/// Looks through one queue once, for tools that people use: no reconnect, and an end. What is not settled when it closes,
/// or when its connection is lost, is in the queue again.
///
/// In its old place, if the queue is a quorum queue with a delivery limit, and everybody reads with the same limit and to
/// the end: such a queue puts what was given back before what was never delivered, and behind what was given back earlier.
/// Without a delivery limit it puts it last. And what was fetched with `basic.get`, which makes a consumer of its own for
/// each message, comes back in no order.
package actor QueueReader {
    /// How long the next message may take: one that was counted may have expired, or be in the hands of somebody else.
    private static let patience = Duration.seconds(3)
    /// How long closing waits until the queue shows what was given back.
    private static let closeLimit = Duration.seconds(5)
    /// How many messages are given back before that is seen.
    private static let givenAtOnce = 16

    private nonisolated let loop: LoopThread
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let address: BrokerAddress
    private let topology: Topology
    private let queue: String
    private let bodyLimit: Int
    private let name: String
    private var link: BrokerLink?
    /// How many more are read.
    private var missing = 0
    /// The numbers of what was delivered and not settled, in order.
    private var held: [UInt64] = []
    /// What has come and was not asked for yet.
    private var early: [Delivery] = []

    /// `topology` is declared on connecting. The body of a message above `bodyLimit` bytes is not kept
    /// (``Delivery/oversized``). `name` names the connection to the broker. It must be closed.
    package init(address: BrokerAddress, topology: Topology, queue: String, bodyLimit: Int, name: String) {
        loop = LoopThread(name: "amqp-read", parking: PollParking())
        self.address = address
        self.topology = topology
        self.queue = queue
        self.bodyLimit = bodyLimit
        self.name = name
    }

    /// Connects. Returns how many messages lie in the queue now; the oldest of them, at most `limit` (65,535), are read.
    /// Throws ``AMQPError``. For one call.
    package func open(limit: UInt16) throws(AMQPError) -> Int {
        let link = try BrokerLink(to: address, name: name, bodyLimit: bodyLimit, loop: loop)
        self.link = link
        try link.openChannel()
        try link.declare(topology)
        let count = try link.waiting(in: queue)
        missing = min(count, Int(limit))
        if missing > 0 { try link.consume(queue, prefetch: UInt16(missing)) }
        // Signs of life, also while the tool is busy elsewhere.
        loop.onTurn { self.assumeIsolated { $0.beat() } }
        return count
    }

    /// The next message, which is this reader's until it is settled; nil when there is none. Throws ``AMQPError``.
    package func next() throws(AMQPError) -> Delivery? {
        guard missing > 0, let link else { return nil }
        let end = ContinuousClock.now + Self.patience
        while early.isEmpty, ContinuousClock.now < end {
            if try read(link) { continue }
            var entry = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
            if !link.hasBufferedInput { poll(&entry, 1, 100) }
            loop.progressed()
        }
        guard !early.isEmpty else { return nil }
        missing -= 1
        return early.removeFirst()
    }

    /// The message is done with. Once for each.
    package func ack(_ tag: DeliveryTag) throws(AMQPError) {
        guard let link else { throw AMQPError(.closed, "the reader of \(queue) is closed") }
        try link.settle(.init(number: tag.number, settlement: .acked, multiple: false))
        held.removeAll { $0 == tag.number }
    }

    /// Gives back what is not settled, and ends the connection. Whoever reads next finds it. Nothing may be read afterwards.
    package func close() {
        loop.onTurn(nil)
        // Without an answer it is given back by the end of the connection, a little later.
        if let link { try? giveBack(link) }
        link?.close()
        link = nil
        loop.stop()
    }

    private func giveBack(_ link: BrokerLink) throws(AMQPError) {
        guard !held.isEmpty, link.channelIsOpen else { return }
        try link.cancelConsume()
        // What came meanwhile belongs to it.
        while try read(link) {}
        // One by one, and not many at once: what is given back together comes back in no order, and the broker takes together
        // what it can't keep up with (32).
        let before = try link.waiting(in: queue)
        let end = ContinuousClock.now + Self.closeLimit
        for (count, number) in zip(1..., held) {
            try link.settle(.init(number: number, settlement: .requeued, multiple: false))
            guard count % Self.givenAtOnce == 0 || count == held.count else { continue }
            while try link.waiting(in: queue) < before + count {
                guard ContinuousClock.now < end else { return }
                usleep(1_000)
            }
        }
    }

    /// Takes one event, if there is one.
    private func read(_ link: BrokerLink) throws(AMQPError) -> Bool {
        guard let event = try link.nextEvent() else { return false }
        switch event {
        case .delivered(let content):
            let delivery = Self.delivery(content)
            held.append(delivery.tag.number)
            early.append(delivery)
        case .consumerCancelled:
            throw AMQPError(.consumerCancelled, "the broker ended the reading of \(queue)")
        case .answered, .returned, .blocked, .unblocked: break
        }
        return true
    }

    /// What it can't do now fails at the next call.
    private func beat() -> Int32 {
        if let link { _ = try? read(link) }
        return LoopThread.idleMilliseconds
    }

    private static func delivery(_ content: ContentAssembler.Content) -> Delivery {
        var (number, redelivered, exchange, routingKey) = (UInt64(0), false, "", "")
        if case .delivery(let tag, let again, let from, let key) = content.origin {
            (number, redelivered, exchange, routingKey) = (tag, again, from, key)
        }
        return Delivery(
            tag: DeliveryTag(session: 0, number: number), exchange: exchange, routingKey: routingKey,
            redelivered: redelivered, properties: content.properties, headers: content.headers,
            body: content.body, bodySize: content.bodySize, oversized: content.oversized)
    }
}
