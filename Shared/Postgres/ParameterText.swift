import FoundationEssentials
import Glibc

/// Writes parameters in PostgreSQL's text form.
struct ParameterText: Sendable {
    /// Why a value can't be sent. Names no value: it may be a secret.
    struct Refusal: Error {
        let reason: String
    }

    var bytes: [UInt8] = []

    /// Appends one parameter; false for NULL, which has no text.
    mutating func append(_ parameter: Parameter) throws(Refusal) -> Bool {
        switch parameter {
        case .null: return false
        case .text(let value), .json(let value): try append(value)
        case .int(let value): append(value)
        case .double(let value): append(value)
        case .bool(let value): append(value)
        case .uuid(let value): append(value)
        case .timestamp(let value): try append(value)
        case .bytes(let value): append(value, escapes: 1)
        case .texts(let values), .jsons(let values):
            try appendArray(values) { (text, value) throws(Refusal) in try text.appendQuoted(value) }
        case .ints(let values): appendArray(values) { text, value in text.append(value) }
        case .doubles(let values): appendArray(values) { text, value in text.append(value) }
        case .bools(let values): appendArray(values) { text, value in text.append(value) }
        case .uuids(let values):
            bytes.reserveCapacity(bytes.count + values.count * 37 + 3)
            appendArray(values) { text, value in text.append(value) }
        case .timestamps(let values):
            try appendArray(values) { (text, value) throws(Refusal) in
                text.bytes.append(Ascii.quote)
                try text.append(value)
                text.bytes.append(Ascii.quote)
            }
        case .byteArrays(let values):
            appendArray(values) { text, value in
                text.bytes.append(Ascii.quote)
                text.append(value, escapes: 2)
                text.bytes.append(Ascii.quote)
            }
        }
        return true
    }

    // MARK: Arrays

    /// `{a,b,NULL}`. An unquoted NULL is the null value; every text is quoted, so it is never taken for it.
    private mutating func appendArray<Value, Failure: Error>(
        _ values: [Value?], _ appendElement: (inout ParameterText, Value) throws(Failure) -> Void
    ) throws(Failure) {
        bytes.append(Ascii.openBrace)
        var isFirst = true
        for value in values {
            if !isFirst { bytes.append(Ascii.comma) }
            isFirst = false
            if let value {
                try appendElement(&self, value)
            } else {
                bytes.append(contentsOf: "NULL".utf8)
            }
        }
        bytes.append(Ascii.closeBrace)
    }

    private mutating func appendQuoted(_ value: String) throws(Refusal) {
        bytes.append(Ascii.quote)
        let start = bytes.count
        try append(value)
        escape(from: start)
        bytes.append(Ascii.quote)
    }

    private mutating func escape(from start: Int) {
        let end = bytes.count
        let added = bytes[start...].count { $0 == Ascii.quote || $0 == Ascii.backslash }
        guard added > 0 else { return }
        bytes.append(contentsOf: repeatElement(Ascii.backslash, count: added))
        // From the end, so that nothing is overwritten before it has moved.
        bytes.withUnsafeMutableBufferPointer { bytes in
            var target = bytes.count
            for source in stride(from: end - 1, through: start, by: -1) {
                let byte = bytes[source]
                target -= 1
                bytes[target] = byte
                guard byte == Ascii.quote || byte == Ascii.backslash else { continue }
                target -= 1
                bytes[target] = Ascii.backslash
            }
        }
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

    /// The hexadecimal form of `bytea`; inside an array its backslash is itself escaped.
    private mutating func append(_ value: [UInt8], escapes: Int) {
        bytes.reserveCapacity(bytes.count + value.count * 2 + 4)
        for _ in 0..<escapes { bytes.append(Ascii.backslash) }
        bytes.append(UInt8(ascii: "x"))
        for byte in value {
            bytes.append(Ascii.hex(byte >> 4))
            bytes.append(Ascii.hex(byte & 15))
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
                    digits[at] = Ascii.hex(raw[index] >> 4)
                    digits[at + 1] = Ascii.hex(raw[index] & 15)
                    at += 2
                }
            }
            bytes.append(contentsOf: digits)
        }
    }

    private mutating func append(_ value: Date) throws(Refusal) {
        guard let time = CivilTime(value) else {
            throw Refusal(reason: "a date outside of the years 1 to 9999 can't be sent")
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
}

/// The characters that array and `bytea` texts are made of.
private enum Ascii {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let comma = UInt8(ascii: ",")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")

    static func hex(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }
}
