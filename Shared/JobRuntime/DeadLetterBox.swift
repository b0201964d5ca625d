package import AMQP
internal import FoundationEssentials
package import Operations
package import Store

/// The dead-letter queues of the broker. While somebody goes through one, nobody else sees the messages; afterwards they lie
/// there in their old order.
package struct DeadLetterBox: Sendable {
    /// The most messages of one queue that are gone through at once. Always so many: see ``QueueReader``.
    package static let limit = 1_000
    /// The largest body that is looked at, in bytes; four times as large as what any consumer takes.
    private static let bodyLimit = 4 * TerminalEvent.byteLimit

    /// Why a message was not put back. It stays where it was.
    package enum Refusal: Error, Sendable, Hashable {
        /// Its body is larger than what any consumer takes: it can only be dropped.
        case tooLarge
        /// The broker did not take it, for this reason.
        case notTaken(String)
    }

    package let address: BrokerAddress
    /// What the connections are called in the broker's list.
    package let name: String

    package init(address: BrokerAddress, name: String) {
        self.address = address
        self.name = name
    }

    /// Goes through the dead letters of `queue`, oldest first, at most ``limit``, and none that dies meanwhile; removes those
    /// for which `removes` says so. Returns how many lie there behind those that were looked at. When `removes` throws,
    /// all that was not removed is put back.
    package func pass(
        _ queue: String, isolation: isolated (any Actor)? = #isolation,
        _ removes: (DeadLetter, Delivery) async throws -> Bool
    ) async throws -> Int {
        let reader = QueueReader(
            address: address, topology: JobTopology.starter, queue: JobTopology.deadLetters(of: queue),
            bodyLimit: Self.bodyLimit, name: name)
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

    /// Puts a message into the queue that it was for, and enters in the audit who did so. As it was published at first: what
    /// the broker noted about its death is left out. Whoever takes it decides about it as about any other. Throws
    /// ``Refusal``, and the database's error when it could not be entered: it is in its queue then.
    package func redrive(
        _ letter: DeadLetter, _ delivery: Delivery, by actor: UserID?, _ publisher: Publisher,
        _ records: DeadLetterRecords
    ) async throws {
        guard letter.isWhole else { throw Refusal.tooLarge }
        let properties = delivery.properties
        let message = OutgoingMessage(
            exchange: "", routingKey: letter.queue,
            id: properties.id.flatMap { $0.isEmpty ? nil : $0 } ?? UUID().uuidString.lowercased(),
            type: properties.type, correlationID: properties.correlationID,
            contentType: properties.contentType ?? "application/octet-stream", body: delivery.body)
        let outcome = await publisher.publish([message])[0]
        guard outcome.isConfirmed else { throw Refusal.notTaken(Self.word(outcome)) }
        try await records.enter(letter.entry(.deadLetterRedriven, by: actor, note: nil))
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
    /// What the audit keeps of it. `actor` is nil for the operator's command.
    package func entry(
        _ action: AuditAction, by actor: UserID?, note: String?
    ) -> DeadLetterRecords.Entry {
        DeadLetterRecords.Entry(
            action: action, actor: actor, run: run, queue: queue, digest: digest, size: size, reason: reason,
            note: note)
    }
}
