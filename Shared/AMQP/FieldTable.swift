import FoundationEssentials

/// An AMQP table: message headers, or the arguments of a queue. Keeps the order of its fields; two tables
/// are equal when fields and order are.
package struct FieldTable: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package let name: String
        package var value: FieldValue
    }

    package private(set) var fields: [Field] = []

    package init() {}

    /// The value of the first field called `name`. Setting `nil` removes the field.
    package subscript(name: String) -> FieldValue? {
        get { fields.first { $0.name == name }?.value }
        set {
            let index = fields.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): fields[index].value = value
            case (let index?, nil): fields.remove(at: index)
            case (nil, let value?): fields.append(Field(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    package var isEmpty: Bool { fields.isEmpty }

    /// Adds a field at the end without looking for its name: for what the broker sent.
    mutating func append(_ name: String, _ value: FieldValue) {
        fields.append(Field(name: name, value: value))
    }

    mutating func reserve(_ count: Int) { fields.reserveCapacity(count) }
}

extension FieldTable: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, FieldValue)...) {
        for (name, value) in elements { self[name] = value }
    }
}

/// One value in a ``FieldTable``. The wire's many widths of number are one case each here.
package enum FieldValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case bytes([UInt8])
    /// Whole seconds on the wire.
    case timestamp(Date)
    case array([FieldValue])
    case table(FieldTable)

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var array: [FieldValue]? { if case .array(let value) = self { value } else { nil } }
    package var table: FieldTable? { if case .table(let value) = self { value } else { nil } }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension FieldTable {
    /// How deep tables and arrays may nest, in both directions. What the broker sends deeper is read as
    /// `null`.
    static let depthLimit = 8

    /// Bytes on the wire, or `nil` when the table can't be sent: a name that is empty or above 255 bytes, or
    /// nesting deeper than ``depthLimit``.
    func encodedSize(depth: Int = 1) -> Int? {
        guard depth <= Self.depthLimit else { return nil }
        var size = 4
        for field in fields {
            guard 1...255 ~= field.name.utf8.count, let value = field.value.encodedSize(depth: depth) else {
                return nil
            }
            size += 1 + field.name.utf8.count + value
        }
        return size
    }
}

extension FieldValue {
    fileprivate func encodedSize(depth: Int) -> Int? {
        switch self {
        case .null: return 1
        case .bool: return 2
        case .integer, .number, .timestamp: return 9
        case .string(let value): return 5 + value.utf8.count
        case .bytes(let value): return 5 + value.count
        case .table(let value): return value.encodedSize(depth: depth + 1).map { 1 + $0 }
        case .array(let values):
            guard depth < FieldTable.depthLimit else { return nil }
            var size = 5
            for value in values {
                guard let bytes = value.encodedSize(depth: depth + 1) else { return nil }
                size += bytes
            }
            return size
        }
    }
}
