import CRabbitMQ
import FoundationEssentials
import Glibc

/// Memory for the strings and tables of one call into the library, freed all at once.
///
/// The library wants pointers that outlive the call's preparation. One pool, reused for each call, costs no
/// allocation per string and leaves no lifetime to think of.
final class WireMemory {
    private let pool = UnsafeMutablePointer<amqp_pool_t>.allocate(capacity: 1)

    init() { init_amqp_pool(pool, 16 * 1024) }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// Frees what was given out so far, and keeps the pages for the next call.
    func recycle() { recycle_amqp_pool(pool) }

    /// A copy of `text`, valid until ``recycle()``.
    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    /// The table in the library's form, valid until ``recycle()``. The caller has checked
    /// ``FieldTable/encodedSize(depth:)``.
    func table(_ table: FieldTable) -> amqp_table_t {
        guard !table.isEmpty else { return amqp_empty_table }
        let entries = allocate(amqp_table_entry_t.self, count: table.fields.count)
        for (index, field) in table.fields.enumerated() {
            entries[index] = amqp_table_entry_t(key: bytes(field.name), value: value(field.value))
        }
        return amqp_table_t(num_entries: Int32(table.fields.count), entries: entries)
    }

    private func value(_ value: FieldValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func set(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(kind.rawValue) }
        switch value {
        case .null:
            set(AMQP_FIELD_KIND_VOID)
        case .bool(let value):
            set(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = value ? 1 : 0
        case .integer(let value):
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = value
        case .number(let value):
            set(AMQP_FIELD_KIND_F64)
            field.value.f64 = value
        case .string(let value):
            set(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = bytes(value)
        case .bytes(let value):
            set(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = value.withUnsafeBytes { bytes($0) }
        case .timestamp(let value):
            set(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = value.wireSeconds
        case .array(let values):
            set(AMQP_FIELD_KIND_ARRAY)
            let entries = allocate(amqp_field_value_t.self, count: values.count)
            for (index, element) in values.enumerated() { entries[index] = self.value(element) }
            field.value.array = amqp_array_t(num_entries: Int32(values.count), entries: entries)
        case .table(let value):
            set(AMQP_FIELD_KIND_TABLE)
            field.value.table = table(value)
        }
        return field
    }

    private func bytes(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard let from = source.baseAddress, source.count > 0 else { return amqp_empty_bytes }
        let copy = allocate(UInt8.self, count: source.count)
        memcpy(copy, from, source.count)
        return amqp_bytes_t(len: source.count, bytes: copy)
    }

    private func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        let size = max(1, count) * MemoryLayout<T>.stride
        guard let memory = amqp_pool_alloc(pool, size) else { fatalError("no memory for \(size) bytes") }
        return memory.bindMemory(to: type, capacity: max(1, count))
    }
}

extension Date {
    /// Seconds since 1970, 0 for what lies before.
    var wireSeconds: UInt64 { UInt64(exactly: max(0, timeIntervalSince1970).rounded(.down)) ?? .max }

    init(wireSeconds: UInt64) { self.init(timeIntervalSince1970: Double(wireSeconds)) }
}
