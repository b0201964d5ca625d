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
    /// What was delivered and not settled, in order.
    private var held: [Delivery] = []

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

    /// Connects, and takes the oldest messages, at most `limit` (65,535): they take `limit` × `bodyLimit` bytes at most.
    /// Returns them, and how many lay in the queue. Throws ``AMQPError``. For one call.
    package func take(limit: UInt16) throws(AMQPError) -> (messages: [Delivery], total: Int) {
        let link = try BrokerLink.toAny(of: address, name: name, bodyLimit: bodyLimit, loop: loop)
        self.link = link
        try link.openChannel()
        try link.declare(topology)
        let total = try link.waiting(in: queue)
        let count = min(total, Int(limit))
        if count > 0 {
            try link.consume(queue, prefetch: UInt16(count))
            try receive(count, link)
            // Each that is done with would make room for another.
            try link.cancelConsume()
            while try read(link) {}
        }
        // Signs of life, while the tool is busy elsewhere.
        loop.onTurn { self.assumeIsolated { $0.beat() } }
        return (held, total)
    }

    private func receive(_ count: Int, _ link: BrokerLink) throws(AMQPError) {
        var end = ContinuousClock.now + Self.patience
        while held.count < count, ContinuousClock.now < end {
            if try read(link) {
                end = .now + Self.patience
                continue
            }
            var entry = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
            if !link.hasBufferedInput { poll(&entry, 1, 100) }
            loop.progressed()
        }
    }

    /// The message is done with. Once for each.
    package func ack(_ tag: DeliveryTag) throws(AMQPError) {
        guard let link else { throw AMQPError(.closed, "the reader of \(queue) is closed") }
        try link.settle(.init(number: tag.number, settlement: .acked, multiple: false))
        held.removeAll { $0.tag == tag }
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
        // One by one, and not many at once: what is given back together comes back in no order, and the broker takes together
        // what it can't keep up with (32).
        let before = try link.waiting(in: queue)
        let end = ContinuousClock.now + Self.closeLimit
        for (count, delivery) in zip(1..., held) {
            try link.settle(.init(number: delivery.tag.number, settlement: .requeued, multiple: false))
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
        case .delivered(let content): held.append(Self.delivery(content))
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
