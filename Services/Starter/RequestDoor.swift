import AMQP
import FoundationEssentials
import HTTPTypes
import JobRuntime
import Logging
import Operations
import ServiceKit
import Store

/// The door for upstream systems at the broker: start requests come in, and answers go to whoever asked for one. The
/// same rules as at the HTTP API hold, by the same code; a message has no rights of its own, only its token has.
struct RequestDoor: Sendable {
    /// How many requests are decided at once.
    static let prefetch: UInt16 = 256

    let principals: Principals
    let rateLimit: RateLimit?
    let start: StartRoute
    let publisher: Publisher
    let figures: Counter
    let logger: Logger
    let makeID: @Sendable () -> UUID

    /// What became of one message.
    private struct Outcome: Sendable {
        let delivery: Delivery
        /// Nil while nothing can be said.
        var reply: RequestReply.Result?
        var message: OutgoingMessage?
        /// Nobody could read it: it is kept for people to look at.
        var isForeign = false
    }

    /// Decides on a burst. A request is done when its run is committed and its answer is with the broker.
    func decide(_ burst: [Delivery]) async -> Intake.Verdict {
        let outcomes = await withTaskGroup { group in
            // Side by side, so that they share transactions.
            for delivery in burst { group.addTask { await outcome(of: delivery) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let answers = outcomes.compactMap(\.message)
        let published = await publisher.publish(answers)
        let unsent = Set(zip(answers, published).filter { !Self.isOver($1) }.map(\.0.id))
        var verdict = Intake.Verdict()
        for outcome in outcomes {
            guard let reply = outcome.reply, outcome.message.map({ !unsent.contains($0.id) }) ?? true else {
                // Asked again, it is a duplicate, and says so.
                verdict.undecided.append(outcome.delivery)
                continue
            }
            figures.add(1, reply.rawValue)
            if outcome.isForeign {
                verdict.refused.append(outcome.delivery.tag)
            } else {
                verdict.done.append(outcome.delivery.tag)
            }
        }
        return verdict
    }

    /// Whether there is nothing more to be done about an answer: a queue that is gone gets none.
    private static func isOver(_ outcome: PublishOutcome) -> Bool {
        switch outcome {
        case .confirmed, .returned, .invalid: true
        case .rejected, .notSent, .unknown: false
        }
    }

    private func outcome(of delivery: Delivery) async -> Outcome {
        let event: RequestEvent
        do { event = try read(delivery) } catch {
            logger.warning(
                "a message is no start request",
                metadata: ["cause": "\(error.detail)", "bytes": "\(delivery.bodySize)"])
            let problem = Problem(
                status: .badRequest, detail: "The message \(error.detail).", reasonCode: "message_malformed",
                isRetryable: false)
            return told(RequestReply(problem), delivery, nil, isForeign: true)
        }
        do {
            return told(RequestReply(try await started(event, delivery)), delivery, event)
        } catch {
            let problem = Problem(error)
            // Nothing can be said while the database is away.
            if problem.status == .serviceUnavailable { return Outcome(delivery: delivery) }
            if problem.status.kind == .serverError { logger.error("a start request failed", error: error) }
            return told(RequestReply(problem), delivery, event)
        }
    }

    private func read(_ delivery: Delivery) throws(RequestEvent.Malformed) -> RequestEvent {
        guard !delivery.oversized else {
            throw RequestEvent.Malformed(detail: "is larger than \(RequestLimits.body) bytes")
        }
        return try RequestEvent(delivery)
    }

    private func started(_ event: RequestEvent, _ delivery: Delivery) async throws -> StartRoute.Started {
        guard
            let token = delivery.headers["authorization"]?.string.flatMap(BearerToken.init(authorization:)),
            let caller = try await principals.authenticate(hash: token.hash)
        else { throw Problem.unauthorized }
        if let seconds = rateLimit?.take(caller.tokenID) {
            throw Problem.tooManyRequests(retryAfter: seconds)
        }
        var request = try Members.read(event.data) { StartRoute.request(&$0, caller) }
        request.idempotencyKey = event.key
        request.traceparent = StartRoute.trace(event.traceParent)
        return try await start.start(request, by: caller)
    }

    private func told(
        _ reply: RequestReply, _ delivery: Delivery, _ event: RequestEvent?, isForeign: Bool = false
    ) -> Outcome {
        Outcome(
            delivery: delivery, reply: reply.result,
            message: reply.message(to: delivery, event, id: makeID(), at: Date()), isForeign: isForeign)
    }
}
