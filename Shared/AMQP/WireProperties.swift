import CRabbitMQ
import FoundationEssentials

extension WireMemory {
    /// The properties of a message that has no ``OutgoingMessage/fault``, valid until ``recycle()``.
    func properties(of message: OutgoingMessage, appID: String) -> amqp_basic_properties_t {
        var properties = amqp_basic_properties_t()
        var flags =
            AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG
            | AMQP_BASIC_APP_ID_FLAG
        properties.message_id = bytes(message.id)
        properties.content_type = bytes(message.contentType)
        properties.delivery_mode = UInt8(AMQP_DELIVERY_PERSISTENT.rawValue)
        properties.app_id = bytes(appID)
        if let type = message.type {
            flags |= AMQP_BASIC_TYPE_FLAG
            properties.type = bytes(type)
        }
        if let correlationID = message.correlationID {
            flags |= AMQP_BASIC_CORRELATION_ID_FLAG
            properties.correlation_id = bytes(correlationID)
        }
        if let timestamp = message.timestamp {
            flags |= AMQP_BASIC_TIMESTAMP_FLAG
            properties.timestamp = timestamp.wireSeconds
        }
        if let milliseconds = message.expirationMilliseconds {
            flags |= AMQP_BASIC_EXPIRATION_FLAG
            properties.expiration = bytes(String(milliseconds))
        }
        if !message.headers.isEmpty {
            flags |= AMQP_BASIC_HEADERS_FLAG
            properties.headers = table(message.headers)
        }
        properties._flags = UInt32(flags)
        return properties
    }
}
