/// A JSON value (RFC 8259) whose objects keep their order.
///
/// One type serves messages, run contexts, API bodies and Graph documents: it neither loses the order or an
/// unknown member of a document, nor turns whole numbers into doubles, and costs a tenth of
/// Foundation's coders on the hot path.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number. Never NaN or infinite when it was parsed.
    case number(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    /// The text of a `.string`, else nil.
    package var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The value of an `.integer`, else nil.
    package var integer: Int? { if case .integer(let value) = self { Int(value) } else { nil } }

    /// The value of an `.integer` or a `.number`, else nil.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        case .null, .bool, .string, .array, .object: nil
        }
    }

    /// The value of a `.bool`, else nil.
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements of an `.array`, else nil.
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }

    /// The members of an `.object`, else nil.
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// Whether this is JSON's `null`.
    package var isNull: Bool { self == .null }

    /// The member called `key` of an object; nil for every other value.
    package subscript(key: String) -> JSON? { object?[key] }

    /// The element at `index` of an array; nil outside it and for every other value.
    package subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }

    /// The literal's order is the object's order. A key that stands twice is a programming error.
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(literal: elements))
    }
}

extension JSON {
    /// A string, or null when there is none.
    package static func optional(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }

    /// A whole number.
    package static func int(_ value: Int) -> JSON { .integer(Int64(value)) }

    /// A whole number, or null when there is none.
    package static func optional(_ value: Int?) -> JSON { value.map(JSON.int) ?? .null }
}
