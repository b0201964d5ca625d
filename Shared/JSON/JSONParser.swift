extension JSON {
    /// Why a text is not JSON, and where.
    package struct ParseError: Error, Hashable, CustomStringConvertible {
        /// What was wrong, in words.
        package let reason: String
        /// Offset of the offending byte.
        package let offset: Int

        package var description: String { "not valid JSON at byte \(offset): \(reason)" }
    }

    /// The deepest nesting of arrays and objects that is accepted.
    package static let depthLimit = 64

    /// Parses one JSON text (RFC 8259, UTF-8). Refuses duplicate keys, nesting below ``depthLimit``,
    /// ill-formed UTF-8, and anything after the value but white space.
    package init(parsing bytes: [UInt8]) throws(ParseError) {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSON, ParseError> in
            var parser = JSONParser(text: buffer)
            do throws(ParseError) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        self = try result.get()
    }

    /// Parses one JSON text, as ``init(parsing:)-([UInt8])``.
    package init(parsing text: String) throws(ParseError) {
        self = try JSON(parsing: Array(text.utf8))
    }
}

/// A recursive-descent parser over a buffer that outlives it.
struct JSONParser {
    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    init(text: UnsafeBufferPointer<UInt8>) { self.text = text }

    mutating func document() throws(JSON.ParseError) -> JSON {
        let value = try self.value()
        skipBlanks()
        guard position == text.count else { throw fail("something follows the value") }
        return value
    }

    private func fail(_ reason: String) -> JSON.ParseError {
        JSON.ParseError(reason: reason, offset: position)
    }

    private var current: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func value() throws(JSON.ParseError) -> JSON {
        skipBlanks()
        switch current {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSON.ParseError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSON.ParseError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case nil: throw fail("the text ends where a value is expected")
        default: return try number()
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSON.ParseError) -> JSON
    ) throws(JSON.ParseError) -> JSON {
        guard depth < JSON.depthLimit else { throw fail("nested deeper than \(JSON.depthLimit)") }
        depth += 1
        position += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(JSON.ParseError) -> JSON {
        var members: [(key: String, value: JSON)] = []
        skipBlanks()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(JSONObject())
        }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw fail("a member's name is expected") }
            let key = try string()
            skipBlanks()
            try expect(UInt8(ascii: ":"), "a colon is expected")
            members.append((key, try value()))
            skipBlanks()
            if current == UInt8(ascii: ",") {
                position += 1
                continue
            }
            try expect(UInt8(ascii: "}"), "a comma or the object's end is expected")
            guard JSONObject.keysDiffer(members) else { throw fail("a member's name stands twice") }
            return .object(JSONObject(unchecked: members))
        }
    }

    private mutating func array() throws(JSON.ParseError) -> JSON {
        var elements: [JSON] = []
        skipBlanks()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            elements.append(try value())
            skipBlanks()
            if current == UInt8(ascii: ",") {
                position += 1
                continue
            }
            try expect(UInt8(ascii: "]"), "a comma or the array's end is expected")
            return .array(elements)
        }
    }

    private mutating func expect(_ byte: UInt8, _ reason: String) throws(JSON.ParseError) {
        guard current == byte else { throw fail(reason) }
        position += 1
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(JSON.ParseError) -> JSON {
        let end = position + word.utf8CodeUnitCount
        guard end <= text.count,
            word.withUTF8Buffer({ $0.elementsEqual(text[position..<end]) })
        else { throw fail("a value is expected") }
        position = end
        return value
    }

    // MARK: numbers

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSON.ParseError) -> JSON {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let first = current
        let count = digits()
        guard count > 0 else { throw fail("a value is expected") }
        guard count == 1 || first != UInt8(ascii: "0") else { throw fail("a number starts with 0") }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            position += 1
            isWhole = false
            guard digits() > 0 else { throw fail("digits are expected after the point") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            isWhole = false
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw fail("digits are expected in the exponent") }
        }
        let digits = String(decoding: text[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(digits) { return .integer(value) }
        guard let value = Double(digits), value.isFinite else { throw fail("the number is too large") }
        return .number(value)
    }

    // MARK: strings

    private mutating func string() throws(JSON.ParseError) -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw fail("a control character stands in a string") }
            position += 1
        }
        let part = text[start..<position]
        try expect(UInt8(ascii: "\""), "a string does not end")
        return try decode(part)
    }

    private func decode(_ part: some Collection<UInt8>) throws(JSON.ParseError) -> String {
        guard let value = String(validating: part, as: UTF8.self) else {
            throw fail("a string is not well-formed UTF-8")
        }
        return value
    }

    /// The slow path: from the first backslash on, the text is copied piece by piece.
    private mutating func escapedString(from start: Int) throws(JSON.ParseError) -> String {
        var bytes = Array(text[start..<position])
        while let byte = current, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw fail("a control character stands in a string") }
            position += 1
            if byte == UInt8(ascii: "\\") { try unescape(into: &bytes) } else { bytes.append(byte) }
        }
        try expect(UInt8(ascii: "\""), "a string does not end")
        return try decode(bytes)
    }

    private mutating func unescape(into bytes: inout [UInt8]) throws(JSON.ParseError) {
        let kind = current
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(kind!)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): bytes.append(contentsOf: String(try unicodeScalar()).utf8)
        default: throw fail("an escape is unknown")
        }
    }

    private mutating func unicodeScalar() throws(JSON.ParseError) -> Character {
        let high = try codeUnit()
        if !(0xD800...0xDFFF).contains(high) { return Character(Unicode.Scalar(UInt32(high))!) }
        guard high < 0xDC00, current == UInt8(ascii: "\\") else { throw fail("half of a surrogate pair") }
        position += 1
        try expect(UInt8(ascii: "u"), "half of a surrogate pair")
        let low = try codeUnit()
        guard (0xDC00...0xDFFF).contains(low) else { throw fail("half of a surrogate pair") }
        let scalar = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        return Character(Unicode.Scalar(scalar)!)
    }

    private mutating func codeUnit() throws(JSON.ParseError) -> UInt16 {
        guard position + 4 <= text.count,
            let unit = UInt16(String(decoding: text[position..<position + 4], as: UTF8.self), radix: 16),
            text[position] != UInt8(ascii: "+"), text[position] != UInt8(ascii: "-")
        else { throw fail("four hexadecimal digits are expected") }
        position += 4
        return unit
    }
}
