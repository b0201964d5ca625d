/// Why a transfer failed. It never carries what was sent or received, so it may be logged.
package struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// The total or the connect time-out passed.
        case timeout
        /// No address of the host accepted a connection.
        case connect
        /// The host has no address.
        case resolve
        /// No TLS session: an untrusted or wrong certificate, no common version, or TLS not offered.
        case tls
        /// The connection broke. `sent`: the request, or a part of it, may have been sent before.
        case reset(sent: Bool)
        /// The decoded body is larger than the limit of the request.
        case bodyTooLarge
        /// The body ended before the length that the peer announced.
        case truncated
        /// The task was cancelled, or the client was closed.
        case cancelled
        /// The address policy of the request forbids every address of the host.
        case refusedAddress
        /// The request can't be sent as it is; nothing went out. Repeating it is useless.
        case invalidRequest
        /// The peer does not speak the protocol.
        case protocolViolation
        /// The mail relay answered with this reply code: 4xx passes, 5xx does not.
        case mailRefused(code: Int)
        /// The client already carries as many transfers as it may; nothing went out.
        case overloaded
    }

    package let kind: Kind
    /// One line for the operator.
    package let message: String
    /// Whether the peer may have seen the request (for mail: may have accepted the message). `false` is
    /// certain: repeating then repeats nothing. `true` is a possibility, never a fact.
    package let requestMayHaveBeenSent: Bool

    package init(kind: Kind, message: String, requestMayHaveBeenSent: Bool) {
        self.kind = kind
        self.message = message
        self.requestMayHaveBeenSent = requestMayHaveBeenSent
    }

    static func invalid(_ message: String) -> TransferError {
        TransferError(kind: .invalidRequest, message: message, requestMayHaveBeenSent: false)
    }

    package var description: String {
        "transfer failed (\(kind)): \(message)"
    }
}
