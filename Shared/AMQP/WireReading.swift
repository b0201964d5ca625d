import CRabbitMQ
import FoundationEssentials

extension String {
    /// A copy of what the library read. Bytes that are no UTF-8 become U+FFFD.
    init(_ bytes: amqp_bytes_t) {
        self.init(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }
}

extension FieldTable {
    /// A copy of what the library read.
    init(_ table: amqp_table_t, depth: Int = 1) {
        self.init()
        guard table.num_entries > 0, let entries = table.entries else { return }
        reserve(Int(table.num_entries))
        for entry in UnsafeBufferPointer(start: entries, count: Int(table.num_entries)) {
            append(String(entry.key), FieldValue(entry.value, depth: depth))
        }
    }
}

extension FieldValue {
    fileprivate init(_ field: amqp_field_value_t, depth: Int) {
        let value = field.value
        switch amqp_field_value_kind_t(UInt32(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: self = .bool(value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = .integer(Int64(value.i8))
        case AMQP_FIELD_KIND_U8: self = .integer(Int64(value.u8))
        case AMQP_FIELD_KIND_I16: self = .integer(Int64(value.i16))
        case AMQP_FIELD_KIND_U16: self = .integer(Int64(value.u16))
        case AMQP_FIELD_KIND_I32: self = .integer(Int64(value.i32))
        case AMQP_FIELD_KIND_U32: self = .integer(Int64(value.u32))
        case AMQP_FIELD_KIND_I64: self = .integer(value.i64)
        case AMQP_FIELD_KIND_U64:
            self = Int64(exactly: value.u64).map { .integer($0) } ?? .number(Double(value.u64))
        case AMQP_FIELD_KIND_F32: self = .number(Double(value.f32))
        case AMQP_FIELD_KIND_F64: self = .number(value.f64)
        case AMQP_FIELD_KIND_DECIMAL: self = .number(Self.double(value.decimal))
        case AMQP_FIELD_KIND_UTF8: self = .string(String(value.bytes))
        case AMQP_FIELD_KIND_BYTES:
            self = .bytes([UInt8](UnsafeRawBufferPointer(start: value.bytes.bytes, count: value.bytes.len)))
        case AMQP_FIELD_KIND_TIMESTAMP: self = .timestamp(Date(wireSeconds: value.u64))
        case AMQP_FIELD_KIND_ARRAY where depth < FieldTable.depthLimit:
            let entries = UnsafeBufferPointer(start: value.array.entries, count: Int(value.array.num_entries))
            self = .array(entries.map { FieldValue($0, depth: depth + 1) })
        case AMQP_FIELD_KIND_TABLE where depth < FieldTable.depthLimit:
            self = .table(FieldTable(value.table, depth: depth + 1))
        default: self = .null
        }
    }

    private static func double(_ decimal: amqp_decimal_t) -> Double {
        var value = Double(decimal.value)
        for _ in 0..<min(decimal.decimals, 32) { value /= 10 }
        return value
    }
}

extension MessageProperties {
    /// A copy of what the library read.
    init(_ properties: amqp_basic_properties_t) {
        func has(_ flag: Int32) -> Bool { properties._flags & UInt32(flag) != 0 }
        if has(AMQP_BASIC_MESSAGE_ID_FLAG) { id = String(properties.message_id) }
        if has(AMQP_BASIC_TYPE_FLAG) { type = String(properties.type) }
        if has(AMQP_BASIC_CORRELATION_ID_FLAG) { correlationID = String(properties.correlation_id) }
        if has(AMQP_BASIC_CONTENT_TYPE_FLAG) { contentType = String(properties.content_type) }
        if has(AMQP_BASIC_APP_ID_FLAG) { appID = String(properties.app_id) }
        if has(AMQP_BASIC_USER_ID_FLAG) { userID = String(properties.user_id) }
        if has(AMQP_BASIC_REPLY_TO_FLAG) { replyTo = String(properties.reply_to) }
        if has(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = Date(wireSeconds: properties.timestamp) }
    }
}
