import HTTPTypes

/// What a handler decided to send. Nothing is on the wire yet, so a fault can still change it.
struct Answer: Sendable {
    var status: Int
    var headers: [(name: HTTPField.Name, value: String)] = []
    var body: [UInt8] = []
    var delivery = Delivery.complete

    /// How the answer reaches the client.
    enum Delivery: Sendable, Hashable {
        case complete
        /// The connection is reset and nothing is sent.
        case reset
        /// Headers announce the whole body; this many bytes follow, then the connection ends.
        case truncated(bytes: Int)
        /// The body comes in pieces with pauses between them.
        case trickled(bytes: Int, pause: Duration)
    }

    init(status: Int, contentType: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.body = body
        if let contentType { headers.append((.contentType, contentType)) }
    }

    mutating func add(_ name: HTTPField.Name, _ value: String) { headers.append((name, value)) }
}
