import FoundationEssentials

/// Names one delivery to the broker. It is good for one session only: after a reconnect the broker has
/// forgotten it and delivers the message again, so settling an old tag does nothing.
package struct DeliveryTag: Sendable, Hashable {
    let session: Int
    let number: UInt64
}

/// What a publisher wrote about a message, beside headers and body. Nothing of it is checked by the broker
/// except ``userID``.
package struct MessageProperties: Sendable, Equatable {
    package var id: String?
    package var type: String?
    package var correlationID: String?
    package var contentType: String?
    /// The program that published it, by its own account.
    package var appID: String?
    /// The user that published it; the broker refuses one that is not the connection's.
    package var userID: String?
    /// The queue that the sender waits at for an answer.
    package var replyTo: String?
    /// Whole seconds.
    package var timestamp: Date?

    package init() {}
}

/// A message as the broker delivered it. It stays the consumer's until it is settled with its ``tag``.
package struct Delivery: Sendable {
    package let tag: DeliveryTag
    package let exchange: String
    package let routingKey: String
    /// True when it was delivered before, to this or another consumer.
    package let redelivered: Bool
    package let properties: MessageProperties
    package let headers: FieldTable
    /// Empty when ``oversized``.
    package let body: [UInt8]
    /// Bytes of the body as it was published.
    package let bodySize: UInt64
    /// True when the body was above the consumer's limit: it was read and thrown away.
    package let oversized: Bool
}
