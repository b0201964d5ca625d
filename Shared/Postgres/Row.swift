import FoundationEssentials

/// One row of ``Rows``. Columns are named by their name in the result or by their position from 0.
///
/// Each accessor throws `.decoding` when there is no such column, when its type is another (cast it in the
/// SQL), and, without `OrNil`, when it is NULL.
package struct Row: Sendable {
    let result: ResultSet
    let number: Int32

    package func isNull(_ column: some ColumnKey) throws(PostgresError) -> Bool {
        result.cell(number, try column.position(in: result)) == nil
    }

    /// A `uuid`.
    package func uuid(_ column: some ColumnKey) throws(PostgresError) -> UUID {
        try value(column, BinaryValue.uuid)
    }

    package func uuidOrNil(_ column: some ColumnKey) throws(PostgresError) -> UUID? {
        try valueOrNil(column, BinaryValue.uuid)
    }

    /// A `text`, `varchar`, `char`, `name`, or a value of an enumeration.
    package func text(_ column: some ColumnKey) throws(PostgresError) -> String {
        try value(column, BinaryValue.text)
    }

    package func textOrNil(_ column: some ColumnKey) throws(PostgresError) -> String? {
        try valueOrNil(column, BinaryValue.text)
    }

    /// A `smallint`, `integer`, `bigint` or `oid`. A sum of bigints is `numeric`: cast it.
    package func int(_ column: some ColumnKey) throws(PostgresError) -> Int {
        try value(column, BinaryValue.int)
    }

    package func intOrNil(_ column: some ColumnKey) throws(PostgresError) -> Int? {
        try valueOrNil(column, BinaryValue.int)
    }

    /// A `real` or `double precision`.
    package func double(_ column: some ColumnKey) throws(PostgresError) -> Double {
        try value(column, BinaryValue.double)
    }

    package func doubleOrNil(_ column: some ColumnKey) throws(PostgresError) -> Double? {
        try valueOrNil(column, BinaryValue.double)
    }

    package func bool(_ column: some ColumnKey) throws(PostgresError) -> Bool {
        try value(column, BinaryValue.bool)
    }

    package func boolOrNil(_ column: some ColumnKey) throws(PostgresError) -> Bool? {
        try valueOrNil(column, BinaryValue.bool)
    }

    /// A `timestamptz`, to the microsecond. `infinity` is refused.
    package func date(_ column: some ColumnKey) throws(PostgresError) -> Date {
        try value(column, BinaryValue.date)
    }

    package func dateOrNil(_ column: some ColumnKey) throws(PostgresError) -> Date? {
        try valueOrNil(column, BinaryValue.date)
    }

    /// The text of a `json` or `jsonb`.
    package func json(_ column: some ColumnKey) throws(PostgresError) -> String {
        try value(column, BinaryValue.json)
    }

    package func jsonOrNil(_ column: some ColumnKey) throws(PostgresError) -> String? {
        try valueOrNil(column, BinaryValue.json)
    }

    /// A `bytea`, or the UTF-8 of a `json`, `jsonb` or `text`, ready for a parser.
    package func bytes(_ column: some ColumnKey) throws(PostgresError) -> [UInt8] {
        try value(column, BinaryValue.bytes)
    }

    package func bytesOrNil(_ column: some ColumnKey) throws(PostgresError) -> [UInt8]? {
        try valueOrNil(column, BinaryValue.bytes)
    }

    /// A `text[]`. A NULL element is refused, here and in the other arrays.
    package func texts(_ column: some ColumnKey) throws(PostgresError) -> [String] {
        try array(column, BinaryValue.text)
    }

    /// A `uuid[]`.
    package func uuids(_ column: some ColumnKey) throws(PostgresError) -> [UUID] {
        try array(column, BinaryValue.uuid)
    }

    /// A `smallint[]`, `integer[]` or `bigint[]`.
    package func ints(_ column: some ColumnKey) throws(PostgresError) -> [Int] {
        try array(column, BinaryValue.int)
    }

    // MARK: Reading a cell

    private func array<Element>(
        _ column: some ColumnKey,
        _ decode: (UnsafeRawBufferPointer, UInt32) throws(Undecodable) -> Element
    ) throws(PostgresError) -> [Element] {
        try value(column) { (cell, type) throws(Undecodable) in
            try BinaryArray(cell, type).map(decode)
        }
    }

    private func value<Value>(
        _ column: some ColumnKey,
        _ decode: (UnsafeRawBufferPointer, UInt32) throws(Undecodable) -> Value
    ) throws(PostgresError) -> Value {
        let position = try column.position(in: result)
        guard let cell = result.cell(number, position) else {
            throw refusal(position, Undecodable(reason: "is NULL"))
        }
        do throws(Undecodable) {
            return try decode(cell, result.typeNumber(position))
        } catch {
            throw refusal(position, error)
        }
    }

    private func valueOrNil<Value>(
        _ column: some ColumnKey,
        _ decode: (UnsafeRawBufferPointer, UInt32) throws(Undecodable) -> Value
    ) throws(PostgresError) -> Value? {
        let position = try column.position(in: result)
        guard let cell = result.cell(number, position) else { return nil }
        do throws(Undecodable) {
            return try decode(cell, result.typeNumber(position))
        } catch {
            throw refusal(position, error)
        }
    }

    private func refusal(_ position: Int32, _ error: Undecodable) -> PostgresError {
        PostgresError(.decoding, "column «\(result.name(position))» \(error.reason)")
    }
}
