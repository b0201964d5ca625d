package import AMQP
package import Logging
internal import Operations
import Synchronization

/// The loop of a family's consumer: takes bursts, opens them, executes what may execute, and settles each
/// delivery when its consequence is durable.
///
/// Handlers run side by side by await; their number is bounded by the prefetch.
package final class JobConsumer: Sendable {
    /// How long what is under way may take after ``stop()``, before it is cancelled and left to be repaired.
    package static let stopLimit = Duration.seconds(7)
    /// How many bursts are opened at once: while one is decided by the database, the next gets ready.
    private static let openLimit = 2
    /// How long jobs rest that could not be begun though the database answers, before each further try.
    private static let pauses: [Duration] = [
        .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2),
    ]

    private let consumer: Consumer
    private let executor: JobExecutor
    private let logger: Logger
    private let isStopping = Mutex(false)
    private let underWay = Mutex<Set<JobMessage>>([])
    private let work = Mutex<Task<Void, Never>?>(nil)

    package init(consumer: Consumer, executor: JobExecutor, logger: Logger) {
        self.consumer = consumer
        self.executor = executor
        self.logger = logger
    }

    /// How many runs, or chunks of runs, execute now.
    package var activeRuns: Int { underWay.withLock { $0.count } }

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
        let (turns, turnEnds) = AsyncStream.makeStream(of: Void.self)
        for _ in 0..<Self.openLimit { turnEnds.yield() }
        var turn = turns.makeAsyncIterator()
        await withDiscardingTaskGroup { group in
            for await burst in consumer.bursts {
                if isStopping.withLock({ $0 }) {
                    consumer.nack(burst.map(\.tag), requeue: true)
                    continue
                }
                await turn.next()
                group.addTask { await self.take(burst) { turnEnds.yield() } }
            }
        }
    }

    /// Opens a burst and executes what has begun; returns when all of it is settled.
    private func take(_ burst: [Delivery], opened: () -> Void) async {
        await withDiscardingTaskGroup { group in
            let undecided = await open(burst, &group)
            if !undecided.isEmpty { await keep(undecided, &group) }
            opened()
        }
    }

    /// Opens a burst, settles what is decided and executes what has begun; returns what could not be decided.
    private func open(
        _ burst: [Delivery], _ group: inout DiscardingTaskGroup
    ) async -> [JobExecutor.Undecided] {
        let opening = await executor.open(burst)
        for (disposition, tags) in opening.settled {
            switch disposition {
            case .acknowledge: consumer.ack(tags)
            case .deadLetter: consumer.nack(tags, requeue: false)
            }
        }
        for begun in opening.begun {
            underWay.withLock { _ = $0.insert(begun.job) }
            group.addTask { await self.execute(begun) }
        }
        return opening.undecided
    }

    /// The database is in trouble: keeps what was taken until it answers, and takes nothing more meanwhile. It is
    /// not handed back each time: the broker counts deliveries, and an outage of minutes would send good jobs to
    /// the dead letters. What still can't be begun when the database answers is given back at last.
    private func keep(_ undecided: [JobExecutor.Undecided], _ group: inout DiscardingTaskGroup) async {
        logger.warning("the database is in trouble; taking nothing until it answers")
        consumer.pause()
        var kept = undecided
        for pause in Self.pauses {
            await executor.release(kept.map(\.job).filter { !isUnderWay($0) })
            if isStopping.withLock({ $0 }) || Task.isCancelled { break }
            kept = await open(kept.map(\.delivery), &group)
            if kept.isEmpty { break }
            try? await Task.sleep(for: pause)
        }
        consumer.nack(kept.map(\.delivery.tag), requeue: true)
        consumer.resume()
    }

    private func isUnderWay(_ job: JobMessage) -> Bool { underWay.withLock { $0.contains(job) } }

    private func execute(_ begun: JobExecutor.Begun) async {
        defer { underWay.withLock { _ = $0.remove(begun.job) } }
        do {
            try await executor.execute(begun)
            consumer.ack([begun.tag])
        } catch {
            consumer.nack([begun.tag], requeue: true)
        }
    }
}
