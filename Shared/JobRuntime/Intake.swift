package import AMQP
package import Logging
import Synchronization

/// A loop that takes messages from the broker and settles each when its consequence is durable (H7).
///
/// While the database is in trouble, what was taken stays unsettled and is tried again, less and less often, and nothing
/// more is taken. It is not handed back each time: the broker counts deliveries, and an outage of minutes would send good
/// messages to the dead letters.
package final class Intake: Sendable {
    /// What became of a burst.
    package struct Verdict: Sendable {
        /// Their consequence is durable.
        package var done: [DeliveryTag] = []
        /// Nobody can do anything with them.
        package var refused: [DeliveryTag] = []
        /// Nothing can be said about them now.
        package var undecided: [Delivery] = []

        package init() {}
    }

    private static let firstPause = Duration.milliseconds(250)
    private static let longestPause = Duration.seconds(10)
    /// How long a burst is kept at most, before it is given back: another process may be better off, and the broker
    /// ends consumers that settle nothing for half an hour.
    package static let keepLimit = Duration.seconds(300)

    private let consumer: Consumer
    private let keepLimit: Duration
    private let logger: Logger
    private let decide: @Sendable ([Delivery]) async -> Verdict
    private let isStopping = Mutex(false)

    package init(
        consumer: Consumer, keepLimit: Duration = Intake.keepLimit, logger: Logger,
        decide: @escaping @Sendable ([Delivery]) async -> Verdict
    ) {
        self.consumer = consumer
        self.keepLimit = keepLimit
        self.logger = logger
        self.decide = decide
    }

    /// Takes messages until ``stop()``; returns when what was taken is settled.
    package func run() async {
        await withTaskGroup { group in
            group.addTask { await self.consumer.run() }
            for await burst in consumer.bursts { await settle(burst) }
            await consumer.close()
        }
    }

    /// Takes nothing new; what is taken is still decided and settled.
    package func stop() async {
        isStopping.withLock { $0 = true }
        await consumer.cancel()
    }

    private func settle(_ burst: [Delivery]) async {
        var open = await tell(burst)
        guard !open.isEmpty else { return }
        consumer.pause()
        let end = ContinuousClock.now + keepLimit
        var pause = Self.firstPause
        while !open.isEmpty {
            logger.warning(
                "the database is in trouble; taking nothing for a while", metadata: ["pause": "\(pause)"])
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
            if isStopping.withLock({ $0 }) || ContinuousClock.now >= end {
                consumer.nack(open.map(\.tag), requeue: true)
                break
            }
            open = await tell(open)
        }
        consumer.resume()
    }

    /// Settles what is decided; returns what can't be now.
    private func tell(_ burst: [Delivery]) async -> [Delivery] {
        let verdict = await decide(burst)
        consumer.ack(verdict.done)
        consumer.nack(verdict.refused, requeue: false)
        return verdict.undecided
    }
}
