package import AMQP
internal import FoundationEssentials
package import Logging
package import Operations
internal import ServiceKit
package import Store

/// What executes an operation: called with the gate's permit, and with nothing else than that.
///
/// It throws only when the result could not be known or recorded (the database is away): the run is then left
/// to its lease. Everything that the provider does is a result.
package typealias Handler = @Sendable (ExecutionPermit) async throws -> ExecutionResult

/// The handlers of one family. A family's operation without a handler, or a handler of another family, is a
/// mistake of the program and stops it at the start.
package struct Handlers: Sendable {
    private let handlers: [OperationType: Handler]
    package let family: OperationFamily

    /// Traps unless there is exactly one handler for each of the family's operations.
    package init(family: OperationFamily, _ handlers: [OperationType: Handler]) {
        let expected = Set(OperationCatalogue.all.filter { $0.family == family }.map(\.type))
        precondition(
            Set(handlers.keys) == expected,
            "the \(family) family needs handlers for exactly \(expected.map(\.rawValue).sorted())")
        self.family = family
        self.handlers = handlers
    }

    /// The handler of a permit's operation.
    func handler(for permit: ExecutionPermit) -> Handler { handlers[permit.definition.type]! }
}

/// What becomes of a delivery that is decided.
package enum Disposition: Sendable, Hashable {
    /// Its consequence is durable.
    case acknowledge
    /// It is refused for good, or makes no sense: it goes to the dead letters.
    case deadLetter
}

/// Takes a burst of deliveries from message to durable result:
/// decode ► lock, read facts, gate, begin (one transaction for all) ► handlers ► finish (in groups) ► settle.
package struct JobExecutor: Sendable {
    private let runs: RunService
    private let chunks: ChunkService
    private let handlers: Handlers
    private let publish: @Sendable ([PendingMessage]) -> Void
    private let metrics: JobMetrics
    private let logger: Logger

    /// `publish` takes the messages that a transition has committed.
    package init(
        runs: RunService, chunks: ChunkService, handlers: Handlers,
        publish: @escaping @Sendable ([PendingMessage]) -> Void,
        metrics: JobMetrics, logger: Logger
    ) {
        self.runs = runs
        self.chunks = chunks
        self.handlers = handlers
        self.publish = publish
        self.metrics = metrics
        self.logger = logger
    }

    /// A run, or a chunk of one, that has begun, and the delivery that waits for its result.
    package struct Begun: Sendable {
        package let tag: DeliveryTag
        let job: JobMessage
        let run: RunSnapshot
        let permit: ExecutionPermit
        let began: ContinuousClock.Instant
    }

    /// A delivery that could not be decided because the database was in trouble.
    package struct Undecided: Sendable {
        package let delivery: Delivery
        package let job: JobMessage
    }

    /// What a burst came to: what is decided already, and what is to be executed.
    package struct Opening: Sendable {
        package var settled: [Disposition: [DeliveryTag]] = [:]
        package var begun: [Begun] = []
        package var undecided: [Undecided] = []
    }

    /// The first half: everything up to `begin`, for the whole burst at once.
    package func open(_ burst: [Delivery]) async -> Opening {
        var opening = Opening()
        var deliveries: [Delivery] = []
        var jobs: [JobMessage] = []
        for delivery in burst {
            do throws(JobMessage.Malformed) {
                jobs.append(try Self.decode(delivery))
                deliveries.append(delivery)
            } catch {
                opening.settled[.deadLetter, default: []].append(delivery.tag)
                logger.warning(
                    "a message is no job; it goes to the dead letters",
                    metadata: ["cause": "\(error)", "bytes": "\(delivery.bodySize)"])
            }
        }
        for ((delivery, job), beginning) in zip(zip(deliveries, jobs), await begin(jobs)) {
            settle(beginning, delivery, job, into: &opening)
        }
        return opening
    }

    /// The beginnings of runs and of chunks, in the order of the jobs.
    private func begin(_ jobs: [JobMessage]) async -> [Result<RunService.Beginning, any Error>] {
        async let ofRuns = runs.begin(jobs.filter { $0.chunk == nil })
        async let ofChunks = chunks.begin(jobs.filter { $0.chunk != nil })
        var (runs, chunks) = (await ofRuns[...], await ofChunks[...])
        return jobs.map { $0.chunk == nil ? runs.removeFirst() : chunks.removeFirst() }
    }

    private static func decode(_ delivery: Delivery) throws(JobMessage.Malformed) -> JobMessage {
        guard !delivery.oversized else { throw .tooLarge }
        guard delivery.properties.type == JobMessage.type else { throw .versionUnknown }
        return try JobMessage(body: delivery.body)
    }

    private func settle(
        _ beginning: Result<RunService.Beginning, any Error>, _ delivery: Delivery, _ job: JobMessage,
        into opening: inout Opening
    ) {
        let tag = delivery.tag
        switch beginning {
        case .success(.execute(let run, let permit)):
            metrics.allowed(run, isChunk: job.chunk != nil)
            opening.begun.append(Begun(tag: tag, job: job, run: run, permit: permit, began: .now))
        case .success(.refused(let run, let reason, let ended, let messages)):
            publish(messages)
            metrics.denied(run, reason, ended: ended && job.chunk == nil)
            logger.info(
                ended ? "blocked" : "waits",
                metadata: ["run": "\(job.runID)", "reason_code": "\(reason.rawValue)"])
            opening.settled[ended ? .deadLetter : .acknowledge, default: []].append(tag)
        case .success(.cancelled(let run, let messages)):
            publish(messages)
            if job.chunk == nil { metrics.ended(run, .cancelled) }
            opening.settled[.acknowledge, default: []].append(tag)
        case .success(.duplicate):
            opening.settled[.acknowledge, default: []].append(tag)
        case .success(.unknown), .success(.misrouted):
            logger.warning("a message names no run of this queue", metadata: ["run": "\(job.runID)"])
            opening.settled[.deadLetter, default: []].append(tag)
        case .failure(let error):
            logger.warning("nothing could be begun; it is tried again", error: error)
            opening.undecided.append(Undecided(delivery: delivery, job: job))
        }
    }

    /// Gives back runs whose `begin` failed in a way that leaves open whether it was committed. Returns when
    /// the database has answered, or the task is cancelled (then the lease's end does it).
    package func release(_ jobs: [JobMessage]) async {
        await persist("runs could not be given back") {
            publish(try await runs.release(jobs.filter { $0.chunk == nil }))
            publish(try await chunks.release(jobs.filter { $0.chunk != nil }))
        }
    }

    /// The second half: the handler, and `finish`. Returns when the result is durable, so that the delivery may
    /// be acknowledged; throws when the task was cancelled before: then the run is left to the lease's end.
    package func execute(_ begun: Begun) async throws {
        let result = try await outcome(of: begun)
        if case .divided = result { return }
        let isDurable = await persist("a result could not be recorded") {
            if begun.job.chunk != nil { return try await finishChunk(begun, result) }
            if case .written(let outcome, let message) = try await runs.finish(begun.run, result) {
                publish(message.map { [$0] } ?? [])
                metrics.finished(begun.run, outcome, began: begun.began)
            } else {
                logger.warning(
                    "the run has moved on without this worker",
                    metadata: ["run": "\(begun.run.execution.runID)"])
            }
        }
        if !isDurable { throw CancellationError() }
    }

    private func finishChunk(_ begun: Begun, _ result: ExecutionResult) async throws {
        switch try await chunks.finish(begun.permit, result) {
        case .written(let outcome, let messages):
            publish(messages)
            metrics.finished(begun.run, outcome, began: begun.began)
        case .stale:
            logger.warning(
                "the chunk has moved on without this worker", metadata: ["run": "\(begun.job.runID)"])
        }
    }

    private func outcome(of begun: Begun) async throws -> ExecutionResult {
        do {
            let trace = begun.run.traceparent.flatMap(TraceParent.init)
            return try await TraceParent.$current.withValue(trace) {
                try await handlers.handler(for: begun.permit)(begun.permit)
            }
        } catch {
            try Task.checkCancellation()
            logger.error(
                "an attempt broke off", error: error,
                metadata: ["run": "\(begun.run.execution.runID)"])
            return .failed(.workerLost, SummaryCounts())
        }
    }

    /// Tries until the database has taken it: the changes are conditional, so that a repetition after an
    /// unknown commit does nothing twice. False when the task was cancelled before.
    @discardableResult
    private func persist(_ trouble: String, _ change: () async throws -> Void) async -> Bool {
        var pause = Duration.milliseconds(100)
        while true {
            do {
                try await change()
                return true
            } catch {
                if Task.isCancelled { return false }
                logger.warning("\(trouble); trying again", error: error)
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
    }
}
