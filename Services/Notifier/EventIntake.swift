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
        let end = ContinuousClock.now + keepLimit
        var pause = Self.firstPause
        var open = burst
        while !open.isEmpty {
            let verdict = await recorder.record(open)
            consumer.ack(verdict.done)
            consumer.nack(verdict.refused, requeue: false)
            open = verdict.undecided
            guard !open.isEmpty else { break }
            await rest(pause)
            pause = min(pause * 2, Self.longestPause)
            if isStopping.withLock({ $0 }) || ContinuousClock.now >= end {
                consumer.nack(open.map(\.tag), requeue: true)
                break
            }
        }
        consumer.resume()
    }

    private func rest(_ pause: Duration) async {
        logger.warning(
            "the database is in trouble; taking nothing for a while", metadata: ["pause": "\(pause)"])
        consumer.pause()
        try? await Task.sleep(for: pause)
    }
}
