import FoundationEssentials
import Glibc

/// Parameters in the forms that the server reads: single values as text, arrays in binary, where nothing needs
/// quotes and the server parses nothing.
struct ParameterBuffer: Sendable {
    /// Why a value can't be sent. Names no value: it may be a secret.
    struct Refusal: Error {
        let reason: String
    }

    /// How the bytes of a parameter are to be read; null has none.
    enum Form: Sendable {
        case null, text, binary
    }

    var bytes: [UInt8] = []

    /// Appends one parameter.
    mutating func append(_ parameter: Parameter) throws(Refusal) -> Form {
        switch parameter {
        case .null: return .null
        case .text(let value), .json(let value): try append(value)
        case .int(let value): append(value)
        case .double(let value): append(value)
        case .bool(let value): append(value)
        case .uuid(let value): append(value)
        case .timestamp(let value): try append(value)
        case .bytes(let value): append(value)
        case .ints(let values): appendList(values)
        case .texts(let values):
            try appendArray(values, of: .text) { (buffer, value) throws(Refusal) in try buffer.append(value) }
            return .binary
        case .jsons(let values):
            try appendArray(values, of: .json) { (buffer, value) throws(Refusal) in try buffer.append(value) }
            return .binary
        case .uuids(let values):
            appendArray(values, of: .uuid) { buffer, value in
                withUnsafeBytes(of: value.uuid) { buffer.bytes.append(contentsOf: $0) }
            }
            return .binary
        case .byteArrays(let values):
            appendArray(values, of: .bytea) { buffer, value in buffer.bytes.append(contentsOf: value) }
            return .binary
        case .bools(let values):
            appendArray(values, of: .bool) { buffer, value in buffer.bytes.append(value ? 1 : 0) }
            return .binary
        case .doubles(let values):
            appendArray(values, of: .float8) { buffer, value in buffer.appendInteger(value.bitPattern) }
            return .binary
        case .timestamps(let values):
            try appendArray(values, of: .timestamptz) { (buffer, value) throws(Refusal) in
                // The same dates as in the text form, where a year has four digits.
                guard CivilTime(value) != nil, let time = PostgresTime.microseconds(value) else {
                    throw Self.noTextForm
                }
                buffer.appendInteger(time)
            }
            return .binary
        }
        return .text
    }

    private static let noTextForm = Refusal(reason: "a date outside of the years 1 to 9999 can't be sent")

    // MARK: Arrays

    /// What an array's elements are, by the numbers of the server's own types.
    private enum ElementType: UInt32 {
        case bool = 16, bytea = 17, text = 25, json = 114, float8 = 701, timestamptz = 1184, uuid = 2950
    }

    /// One dimension that starts at 1; each element is its length (-1: NULL) and its bytes.
    private mutating func appendArray<Value, Failure: Error>(
        _ values: [Value?], of type: ElementType,
        _ appendElement: (inout ParameterBuffer, Value) throws(Failure) -> Void
    ) throws(Failure) {
        bytes.reserveCapacity(bytes.count + 20 + values.count * 20)
        appendInteger(Int32(values.isEmpty ? 0 : 1))
        appendInteger(Int32(1))
        appendInteger(type.rawValue)
        if values.isEmpty { return }
        appendInteger(Int32(clamping: values.count))
        appendInteger(Int32(1))
        for value in values {
            let lengthAt = bytes.count
            appendInteger(Int32(-1))
            guard let value else { continue }
            try appendElement(&self, value)
            let length = UInt32(truncatingIfNeeded: bytes.count - lengthAt - 4)
            for index in 0..<4 {
                bytes[lengthAt + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
            }
        }
    }

    private mutating func appendInteger(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// `{1,2,NULL}`: as text it is for an array of any integers.
    private mutating func appendList(_ values: [Int?]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: (value.map(String.init) ?? "NULL").utf8)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    // MARK: Single values

    private mutating func append(_ value: String) throws(Refusal) {
        var value = value
        let holdsNUL = value.withUTF8 { utf8 in
            guard let start = utf8.baseAddress else { return false }
            if memchr(start, 0, utf8.count) != nil { return true }
            bytes.append(contentsOf: utf8)
            return false
        }
        if holdsNUL { throw Refusal(reason: "a text with a NUL can't be stored") }
    }

    private mutating func append(_ value: Int) {
        bytes.append(contentsOf: String(value).utf8)
    }

    private mutating func append(_ value: Double) {
        let text =
            value.isFinite ? value.description : value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity"
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func append(_ value: Bool) {
        bytes.append(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
    }

    /// The hexadecimal form of `bytea`.
    private mutating func append(_ value: [UInt8]) {
        bytes.reserveCapacity(bytes.count + value.count * 2 + 3)
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(UInt8(ascii: "x"))
        for byte in value {
            bytes.append(Self.hex(byte >> 4))
            bytes.append(Self.hex(byte & 15))
        }
    }

    private mutating func append(_ value: UUID) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 36) { digits in
            withUnsafeBytes(of: value.uuid) { raw in
                var at = 0
                for index in 0..<16 {
                    if index == 4 || index == 6 || index == 8 || index == 10 {
                        digits[at] = UInt8(ascii: "-")
                        at += 1
                    }
                    digits[at] = Self.hex(raw[index] >> 4)
                    digits[at + 1] = Self.hex(raw[index] & 15)
                    at += 2
                }
            }
            bytes.append(contentsOf: digits)
        }
    }

    private mutating func append(_ value: Date) throws(Refusal) {
        guard let time = CivilTime(value) else {
            throw Self.noTextForm
        }
        appendDigits(time.year, 4)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(time.month, 2)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(time.day, 2)
        bytes.append(UInt8(ascii: " "))
        appendDigits(time.second / 3_600, 2)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(time.second / 60 % 60, 2)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(time.second % 60, 2)
        bytes.append(UInt8(ascii: "."))
        appendDigits(time.microsecond, 6)
        bytes.append(UInt8(ascii: "Z"))
    }

    private mutating func appendDigits(_ value: Int, _ width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    private static func hex(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }
}
