/// Puts a message together from its frames: the method, the header, then the body in pieces.
///
/// A pure value; it copies the body once. A body above the limit, and the body of a returned message, is
/// counted and thrown away, so that no peer can fill the memory.
struct ContentAssembler {
    /// What announced the message.
    enum Origin: Equatable {
        case delivery(number: UInt64, redelivered: Bool, exchange: String, routingKey: String)
        case returned(code: UInt16, text: String, exchange: String, routingKey: String)
    }

    struct Content {
        let origin: Origin
        let properties: MessageProperties
        let headers: FieldTable
        let body: [UInt8]
        let bodySize: UInt64
        let oversized: Bool
    }

    /// The largest body that is kept, in bytes.
    let bodyLimit: Int

    private struct Partial {
        let properties: MessageProperties
        let headers: FieldTable
        let bodySize: UInt64
        var missing: UInt64
        let oversized: Bool
        let keepsBody: Bool
    }

    private var origin: Origin?
    private var partial: Partial?
    private var body: [UInt8] = []

    init(bodyLimit: Int) { self.bodyLimit = bodyLimit }

    mutating func begin(_ origin: Origin) throws(AMQPError) {
        guard self.origin == nil else { throw Self.violation("a method inside a message") }
        self.origin = origin
    }

    /// Returns the message when it has no body.
    mutating func header(
        _ properties: MessageProperties, _ headers: FieldTable, bodySize: UInt64
    ) throws(AMQPError) -> Content? {
        guard let origin, partial == nil else { throw Self.violation("a header without a method") }
        let oversized = bodySize > UInt64(bodyLimit)
        let isDelivery = if case .delivery = origin { true } else { false }
        let keepsBody = isDelivery && !oversized
        if keepsBody { body.reserveCapacity(Int(bodySize)) }
        partial = Partial(
            properties: properties, headers: headers, bodySize: bodySize, missing: bodySize,
            oversized: oversized, keepsBody: keepsBody)
        return finishIfWhole()
    }

    /// Returns the message when this was the last piece.
    mutating func piece(_ bytes: UnsafeRawBufferPointer) throws(AMQPError) -> Content? {
        guard partial != nil, let missing = partial?.missing, UInt64(bytes.count) <= missing else {
            throw Self.violation("a body without a header, or longer than announced")
        }
        if partial?.keepsBody == true { body.append(contentsOf: bytes) }
        partial?.missing -= UInt64(bytes.count)
        return finishIfWhole()
    }

    /// The channel is gone, and with it what had begun.
    mutating func reset() {
        origin = nil
        partial = nil
        body = []
    }

    private mutating func finishIfWhole() -> Content? {
        guard let origin, let partial, partial.missing == 0 else { return nil }
        defer { reset() }
        return Content(
            origin: origin, properties: partial.properties, headers: partial.headers, body: body,
            bodySize: partial.bodySize, oversized: partial.oversized)
    }

    private static func violation(_ what: String) -> AMQPError {
        AMQPError(.protocolViolation, "the broker sent \(what)")
    }
}
