/// Why the broker could not be reached, or refused. `message` is for the log; code decides by ``code``
/// and ``isRetryable``. It never holds a password.
package struct AMQPError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The URL, or a file that it names, can't be used.
        case invalidAddress
        /// The host is not known, or nothing listens there.
        case unreachable
        /// The peer's certificate is not trusted, or is for another name.
        case certificateRefused
        /// The TLS handshake did not come about.
        case handshakeFailed
        /// The broker knows the user or the password not.
        case loginRefused
        /// The connection broke. What was under way may have happened.
        case connectionLost
        /// The peer was silent for two heartbeats.
        case heartbeatMissed
        /// The broker did not answer a request in time.
        case timeout
        /// The broker closed the connection with this reply code.
        case connectionClosed(UInt16)
        /// The broker closed the channel with this reply code; the connection goes on.
        case channelClosed(UInt16)
        /// The broker ended the consumer, for example because its queue was deleted.
        case consumerCancelled
        /// The broker sent what the protocol forbids, or this library can't take.
        case protocolViolation
        /// The process has no memory or no descriptor left.
        case resources
        /// Closed by this side.
        case closed
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Whether the same attempt can succeed later without anybody changing a setting, a right or a
    /// declaration. The supervisors keep trying even so, at the longest delay: somebody may mend it.
    package var isRetryable: Bool {
        switch code {
        case .invalidAddress, .certificateRefused, .loginRefused, .protocolViolation, .closed: false
        case .unreachable, .handshakeFailed, .connectionLost, .heartbeatMissed, .timeout,
            .consumerCancelled, .resources:
            true
        case .connectionClosed(let reply), .channelClosed(let reply): Self.isTransient(reply)
        }
    }

    package var description: String { "\(message) (\(code))" }

    /// True when the channel is gone and the connection can be used on.
    var leavesConnectionOpen: Bool {
        if case .channelClosed = code { true } else { false }
    }

    /// 320 an operator closed it, 405 another connection holds the queue, 506 and 541 the broker is in
    /// trouble. The others (403 no right, 404 no such queue, 406 declared otherwise, 530 no such virtual
    /// host …) stay until somebody acts.
    private static func isTransient(_ reply: UInt16) -> Bool {
        [320, 405, 506, 541].contains(reply)
    }
}
