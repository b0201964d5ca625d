import AMQP
import FoundationEssentials
import JobRuntime
import Operations
import Store

/// The dead-letter queues of the broker. While somebody goes through one, nobody else sees the messages; afterwards they lie
/// there in their old order.
struct DeadLetterBox: Sendable {
    /// The most messages of one queue that are gone through at once. Always so many: see ``QueueReader``.
    static let limit = 1_000
    /// The largest body that is looked at, in bytes; four times as large as what any consumer takes.
    private static let bodyLimit = 4 * TerminalEvent.byteLimit
    private static let name = "atlas"

    let address: BrokerAddress

    /// Goes through the dead letters of `queue`, oldest first, at most ``limit``, and none that dies meanwhile; removes those
    /// for which `removes` says so. Returns how many lie there behind those that were looked at. When `removes` throws,
    /// all that was not removed is put back.
    func pass(_ queue: String, _ removes: (DeadLetter, Delivery) async throws -> Bool) async throws -> Int {
        let reader = QueueReader(
            address: address, topology: JobTopology.starter, queue: JobTopology.deadLetters(of: queue),
            bodyLimit: Self.bodyLimit, name: Self.name)
        do {
            let (deliveries, total) = try await reader.take(limit: UInt16(Self.limit))
            for delivery in deliveries where try await removes(DeadLetter(delivery, of: queue), delivery) {
                try await reader.ack(delivery.tag)
            }
            await reader.close()
            return total - deliveries.count
        } catch {
            await reader.close()
            throw error
        }
    }

    /// Puts a message into the queue that it was for, and enters it in the audit. As it was published at first: what the
    /// broker noted about its death is left out. Whoever takes it decides about it as about any other.
    func redrive(
        _ letter: DeadLetter, _ delivery: Delivery, _ publisher: Publisher, _ records: DeadLetterRecords
    ) async throws {
        guard letter.isWhole else {
            throw Failure(
                code: .refused, what: "The dead letter \(letter.id) was not put back into \(letter.queue).",
                why: "Its body is larger than what any consumer takes.",
                next: "Drop it: atlas dead-letters drop \(letter.id) --note …")
        }
        let properties = delivery.properties
        let message = OutgoingMessage(
            exchange: "", routingKey: letter.queue,
            id: properties.id.flatMap { $0.isEmpty ? nil : $0 } ?? UUID().uuidString.lowercased(),
            type: properties.type, correlationID: properties.correlationID,
            contentType: properties.contentType ?? "application/octet-stream", body: delivery.body)
        let outcome = await publisher.publish([message])[0]
        guard outcome.isConfirmed else {
            throw Failure(
                code: .unreachable,
                what: "The dead letter \(letter.id) was not put back into \(letter.queue).",
                why: "The broker did not take it (\(Self.word(outcome))). It stays where it was.",
                next: "Do it again in a moment.")
        }
        try await records.enter(letter.entry(.deadLetterRedriven, note: nil))
    }

    /// Runs `body` with a publisher that is connected.
    func publishing<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Publisher) async throws -> R
    ) async throws -> R {
        let publisher = Publisher(
            address: address, topology: JobTopology.starter, name: Self.name, logger: Settings.quiet)
        let running = Task { await publisher.run() }
        do {
            let result = try await body(publisher)
            await publisher.close()
            await running.value
            return result
        } catch {
            await publisher.close()
            await running.value
            throw error
        }
    }

    private static func word(_ outcome: PublishOutcome) -> String {
        switch outcome {
        case .confirmed: "confirmed"
        case .returned(_, let text): "no queue: \(text)"
        case .rejected: "the queue is full"
        case .notSent(let reason), .unknown(let reason), .invalid(let reason): reason
        }
    }
}

extension DeadLetter {
    /// What the audit keeps of it.
    func entry(_ action: AuditAction, note: String?) -> DeadLetterRecords.Entry {
        DeadLetterRecords.Entry(
            action: action, run: run, queue: queue, digest: digest, size: size, reason: reason, note: note)
    }
}
