import FoundationEssentials

/// A message to publish. It always goes out persistent and `mandatory`: one that no queue takes comes back
/// as ``PublishOutcome/returned(code:text:)``.
package struct OutgoingMessage: Sendable, Equatable {
    /// Empty: the default exchange, where the routing key is a queue's name.
    package var exchange: String
    package var routingKey: String
    /// `message_id`, not empty. Consumers tell duplicates by it, and a returned message is found by it.
    package var id: String
    package var type: String?
    package var correlationID: String?
    package var contentType: String
    package var headers: FieldTable
    package var body: [UInt8]
    /// Sent as whole seconds.
    package var timestamp: Date?
    /// After so many milliseconds in a queue the broker drops or dead-letters it.
    package var expirationMilliseconds: Int?

    package init(
        exchange: String, routingKey: String, id: String, type: String? = nil, correlationID: String? = nil,
        contentType: String = "application/json", headers: FieldTable = [:], body: [UInt8],
        timestamp: Date? = nil, expirationMilliseconds: Int? = nil
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.id = id
        self.type = type
        self.correlationID = correlationID
        self.contentType = contentType
        self.headers = headers
        self.body = body
        self.timestamp = timestamp
        self.expirationMilliseconds = expirationMilliseconds
    }

    /// The largest body, in bytes. A larger one belongs in a store, and the message names it.
    package static let bodyLimit = 1 << 20
    /// The largest header table, in bytes on the wire. A frame must hold it.
    package static let headersLimit = 32 << 10

    /// Why the message can't be sent, ever; `nil` when it can. The library writes a message in parts, so what
    /// it would refuse half-way must be refused before.
    var fault: String? {
        func isLong(_ text: String?) -> Bool { (text?.utf8.count ?? 0) > 255 }
        if isLong(exchange) || isLong(routingKey) || isLong(id) || isLong(type) || isLong(correlationID)
            || isLong(contentType)
        {
            return "a property is above 255 bytes"
        }
        if id.isEmpty { return "the message has no id" }
        if let expirationMilliseconds, expirationMilliseconds < 0 { return "the expiration is negative" }
        if body.count > Self.bodyLimit { return "the body is above \(Self.bodyLimit) bytes" }
        guard let size = headers.encodedSize() else { return "a header's name or nesting is not allowed" }
        return size > Self.headersLimit ? "the headers are above \(Self.headersLimit) bytes" : nil
    }

    /// About what it takes on the wire, in bytes.
    var approximateSize: Int { body.count + 256 }
}
