import Logging

/// Consumes one queue: hands deliveries over in bursts and settles them as told.
///
/// One connection and one thread of its own. ``run()`` must be running. Stop in this order: ``cancel()``,
/// finish and settle what was delivered, ``close()``.
package final class Consumer: Sendable {
    private let core: ConsumingLoop

    /// `topology` is declared on each connect. `prefetch` is how many deliveries may be unsettled,
    /// 1 … 65,535. A body above `bodyLimit` bytes is not read into memory: it comes as
    /// ``Delivery/oversized``. So deliveries take `prefetch` × `bodyLimit` bytes at most. `name` names the
    /// connection to the broker.
    package init(
        address: BrokerAddress, topology: Topology, queue: String, prefetch: UInt16, bodyLimit: Int = 1 << 20,
        name: String, logger: Logger
    ) {
        precondition(prefetch > 0, "no limit on unsettled deliveries would let the broker fill the memory")
        core = ConsumingLoop(
            address: address, topology: topology, queue: queue, prefetch: prefetch, bodyLimit: bodyLimit,
            name: name, logger: logger)
        core.begin()
    }

    /// A consumer that nobody holds any more closes by itself; what is not settled is delivered again.
    deinit { core.queue.wants(.closed) }

    package var status: LinkStatus { core.queue.status }

    /// The deliveries; for one reading task.
    package var bursts: DeliveryBursts { DeliveryBursts(handover: core.handover) }

    /// The messages are done with. Returns at once; the broker is told soon, and in as few words as the order
    /// allows. The first decision on a delivery counts. Tags of a session that is over do nothing: the
    /// broker delivers those messages again.
    package func ack(_ tags: [DeliveryTag]) { core.queue.settle(tags, .acked) }

    /// The messages go back into the queue, or without `requeue` are dropped, or dead-lettered where the
    /// queue says so. Otherwise like ``ack(_:)``.
    package func nack(_ tags: [DeliveryTag], requeue: Bool) {
        core.queue.settle(tags, requeue ? .requeued : .refused)
    }

    /// Takes no further deliveries until ``resume()``. Those on the way still come; the connection stays.
    package func pause() { core.queue.wants(.paused) }

    /// Takes deliveries again.
    package func resume() { core.queue.wants(.consuming) }

    /// Connects and consumes, and connects again after each loss, until ``close()`` has finished.
    /// Cancelling its task closes.
    package func run() async {
        let queue = core.queue
        queue.start()
        await withTaskCancellationHandler {
            await queue.ended.wait()
        } onCancel: {
            queue.wants(.closed)
        }
    }

    /// Ends deliveries for good. When it returns, ``bursts`` ends after what was delivered before, and
    /// settlements still go out.
    package func cancel() async {
        core.queue.wants(.cancelled)
        await core.queue.cancelled.wait()
    }

    /// Sends the settlements that were made, and closes the connection. What is not settled is delivered
    /// again.
    package func close() async {
        core.queue.wants(.closed)
        await core.queue.ended.wait()
    }
}
