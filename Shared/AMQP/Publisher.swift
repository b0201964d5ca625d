import Logging

/// Publishes messages and says what became of each.
///
/// One connection and one thread of its own. Many tasks may publish at once; their messages share the
/// connection, and each call waits for its own answers only. ``run()`` must be running.
package final class Publisher: Sendable {
    private let core: PublishingLoop

    /// How often deadlines are looked at.
    private static let expiryInterval = Duration.milliseconds(250)

    /// `topology` is declared on each connect. `name` names the program to the broker: it is the connection's
    /// name and the messages' `app_id`, at most 255 bytes.
    package init(address: BrokerAddress, topology: Topology, name: String, logger: Logger) {
        precondition(name.utf8.count <= 255, "the publisher's name is above 255 bytes")
        core = PublishingLoop(address: address, topology: topology, name: name, logger: logger)
        core.begin()
    }

    /// A publisher that nobody holds any more closes by itself; what waits in it is ended.
    deinit { core.queue.beginClosing() }

    package var status: LinkStatus { core.queue.status }

    /// Publishes `messages` in their order, and returns one outcome for each at the same index.
    ///
    /// Waits while the broker is away or blocks, `timeout` in all (and up to ¼ s more); then what was
    /// not written is `.notSent`, and what was not answered `.unknown`. Cancelling the task does not shorten
    /// the wait: what was written can't be taken back, and its outcome matters. Calls beyond
    /// 50,000 messages or 64 MiB waiting together are `.notSent` at once.
    package func publish(
        _ messages: [OutgoingMessage], timeout: Duration = .seconds(10)
    ) async -> [PublishOutcome] {
        await withCheckedContinuation { waiter in
            core.queue.submit(PublishBatch(messages, deadline: .now.advanced(by: timeout), waiter: waiter))
        }
    }

    /// Connects, and connects again after each loss, until ``close()`` has finished. Cancelling its task
    /// closes.
    package func run() async {
        let queue = core.queue
        queue.start()
        await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while (try? await Task.sleep(for: Self.expiryInterval)) != nil { queue.expire(at: .now) }
                }
                await queue.ended.wait()
                group.cancelAll()
            }
        } onCancel: {
            queue.beginClosing()
        }
    }

    /// Takes no more messages, waits up to 5 s for the answers that are due, and closes the connection.
    /// What has no answer then is ended. While the broker is away, what waits is ended at once.
    package func close() async {
        core.queue.beginClosing()
        await core.queue.ended.wait()
    }
}
