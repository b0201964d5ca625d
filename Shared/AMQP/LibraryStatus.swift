import CRabbitMQ

extension AMQPError {
    /// From the library's status while a connection is opened.
    init(openStatus status: Int32, _ doing: String) {
        let code: Code
        switch amqp_status_enum(status) {
        case AMQP_STATUS_SSL_PEER_VERIFY_FAILED, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
            code = .certificateRefused
        case AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_CONNECTION_FAILED: code = .handshakeFailed
        case AMQP_STATUS_NO_MEMORY: code = .resources
        default: code = .unreachable
        }
        self.init(code, "\(doing): \(Self.text(status))")
    }

    /// From the library's status on an open connection.
    init(status: Int32, _ doing: String) {
        let code: Code
        switch amqp_status_enum(status) {
        case AMQP_STATUS_HEARTBEAT_TIMEOUT: code = .heartbeatMissed
        case AMQP_STATUS_TIMEOUT: code = .timeout
        case AMQP_STATUS_NO_MEMORY: code = .resources
        case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
            AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION, AMQP_STATUS_WRONG_METHOD,
            AMQP_STATUS_UNEXPECTED_STATE, AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD,
            AMQP_STATUS_TABLE_TOO_BIG, AMQP_STATUS_INVALID_PARAMETER:
            code = .protocolViolation
        default: code = .connectionLost
        }
        self.init(code, "\(doing): \(Self.text(status))")
    }

    private static func text(_ status: Int32) -> String {
        String(cString: amqp_error_string2(status))
    }
}
