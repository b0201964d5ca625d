import AMQP
import Logging
import Synchronization

/// The loop that takes events from the broker and settles each when its consequence is durable (H7).
///
/// While the database is in trouble, what was taken stays unsettled and is tried again, less and less often,
/// and nothing more is taken. It is not handed back each time: the broker counts deliveries, and an outage of
/// minutes would send good events to the dead letters.
final class EventIntake: Sendable {
    private static let firstPause = Duration.milliseconds(250)
    private static let longestPause = Duration.seconds(10)
    /// How long a burst is kept at most, before it is given back: another notifier may be better off, and the
    /// broker ends consumers that settle nothing for half an hour.
    static let keepLimit = Duration.seconds(300)

    private let consumer: Consumer
    private let recorder: EventRecorder
    private let keepLimit: Duration
    private let logger: Logger
    private let isStopping = Mutex(false)

    init(
        consumer: Consumer, recorder: EventRecorder, keepLimit: Duration = EventIntake.keepLimit,
        logger: Logger
    ) {
        self.consumer = consumer
        self.recorder = recorder
        self.keepLimit = keepLimit
        self.logger = logger
    }

    /// Takes events until ``stop()``; returns when what was taken is settled.
    func run() async {
        await withTaskGroup { group in
            group.addTask { await self.consumer.run() }
            for await burst in consumer.bursts { await settle(burst) }
            await consumer.close()
        }
    }

    /// Takes nothing new; what is taken is still recorded and settled.
    func stop() async {
        isStopping.withLock { $0 = true }
        await consumer.cancel()
    }

    private func settle(_ burst: [Delivery]) async {
        var open = await record(burst)
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
            open = await record(open)
        }
        consumer.resume()
    }

    /// Records and settles what can be; returns what can't be now.
    private func record(_ burst: [Delivery]) async -> [Delivery] {
        let verdict = await recorder.record(burst)
        consumer.ack(verdict.done)
        consumer.nack(verdict.refused, requeue: false)
        return verdict.undecided
    }
}
