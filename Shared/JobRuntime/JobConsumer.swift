package import AMQP
package import Logging
import Synchronization

/// The loop of a family's consumer: takes bursts, opens them, executes what may execute, and settles each
/// delivery when its consequence is durable.
///
/// Handlers run side by side by await; their number is bounded by the prefetch.
package final class JobConsumer: Sendable {
    /// How long what is under way may take after ``stop()``, before it is cancelled and left to be repaired.
    package static let stopLimit = Duration.seconds(7)
    /// The longest pause when the database is in trouble.
    private static let longestPause = Duration.seconds(10)

    private let consumer: Consumer
    private let executor: JobExecutor
    private let logger: Logger
    private let isStopping = Mutex(false)
    private let underWay = Mutex(0)
    private let work = Mutex<Task<Void, Never>?>(nil)

    package init(consumer: Consumer, executor: JobExecutor, logger: Logger) {
        self.consumer = consumer
        self.executor = executor
        self.logger = logger
    }

    /// How many runs execute now.
    package var activeRuns: Int { underWay.withLock { $0 } }

    /// Consumes until ``stop()``; returns when everything under way has ended and is settled.
    package func run() async {
        // A task of its own: cancelling the caller's must not tear a handler out of a call. `stop` does that.
        let work = Task { await consume() }
        self.work.withLock { $0 = work }
        await withTaskGroup { group in
            group.addTask { await self.consumer.run() }
            await work.value
            await consumer.close()
        }
    }

    /// Takes nothing new, gives back what has not begun, and lets what executes end. What takes longer than
    /// ``stopLimit`` is cancelled: its run is repaired by others as soon as this worker's lease is given back.
    package func stop() async {
        isStopping.withLock { $0 = true }
        await consumer.cancel()
        guard let work = work.withLock({ $0 }) else { return }
        let limit = Task {
            try await Task.sleep(for: Self.stopLimit)
            logger.warning("cancelling what still executes", metadata: ["runs": "\(activeRuns)"])
            work.cancel()
        }
        await work.value
        limit.cancel()
    }

    private func consume() async {
        await withDiscardingTaskGroup { group in
            var pause = Duration.milliseconds(250)
            for await burst in consumer.bursts {
                if isStopping.withLock({ $0 }) {
                    consumer.nack(burst.map(\.tag), requeue: true)
                    continue
                }
                let opening = await executor.open(burst)
                settle(opening)
                for begun in opening.begun { group.addTask { await self.execute(begun) } }
                guard !opening.undecided.isEmpty else {
                    pause = .milliseconds(250)
                    continue
                }
                group.addTask { await self.executor.release(opening.undecided) }
                await rest(pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    private func settle(_ opening: JobExecutor.Opening) {
        for (disposition, tags) in opening.settled {
            switch disposition {
            case .acknowledge: consumer.ack(tags)
            case .requeue: consumer.nack(tags, requeue: true)
            case .deadLetter: consumer.nack(tags, requeue: false)
            }
        }
    }

    private func execute(_ begun: JobExecutor.Begun) async {
        underWay.withLock { $0 += 1 }
        defer { underWay.withLock { $0 -= 1 } }
        do {
            try await executor.execute(begun)
            consumer.ack([begun.tag])
        } catch {
            consumer.nack([begun.tag], requeue: true)
        }
    }

    /// The database is in trouble: takes nothing for a while, instead of fetching and giving back in a hot loop.
    private func rest(_ pause: Duration) async {
        logger.warning(
            "the database is in trouble; taking nothing for a while", metadata: ["pause": "\(pause)"])
        consumer.pause()
        try? await Task.sleep(for: pause)
        consumer.resume()
    }
}
