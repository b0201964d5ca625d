import HTTPTypes

/// What a handler decided to send. Nothing is on the wire yet, so a fault can still change it.
struct Answer: Sendable {
    var status: Int
    var headers: [(name: HTTPField.Name, value: String)] = []
    var body: [UInt8] = []
    var delivery = Delivery.complete
    /// What the call changed; nil when it changed nothing.
    var written: Written?

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

    /// One object that a call changed, for the journal.
    struct Written: Sendable, Hashable {
        /// The collection, e.g. `deviceConfigurations`.
        let set: String
        /// Of a created object its new id.
        let id: String
        let change: Change
        /// Properties of the body that had no effect because only the service writes them.
        var ignored: [String] = []

        enum Change: String, Sendable {
            case create, update, replace, delete, assign, action
        }
    }

    init(status: Int, contentType: String? = nil, body: [UInt8] = []) {
        self.status = status
        self.body = body
        if let contentType { headers.append((.contentType, contentType)) }
    }

    mutating func add(_ name: HTTPField.Name, _ value: String) { headers.append((name, value)) }
}
