extension JSON {
    /// The compact text of this value in UTF-8.
    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }

    /// The compact text of this value.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The compact text with every object's members sorted by key: equal documents have equal bytes,
    /// whatever order they arrived in.
    package var canonicalBytes: [UInt8] {
        var writer = JSONWriter(sortsKeys: true)
        writer.write(self)
        return writer.bytes
    }
}

/// Appends JSON text to a byte buffer.
package struct JSONWriter {
    /// What was written so far.
    package private(set) var bytes: [UInt8] = []
    private let sortsKeys: Bool

    /// An empty buffer; `sortsKeys` orders each object's members by the bytes of their keys.
    package init(sortsKeys: Bool = false, reserving capacity: Int = 256) {
        self.sortsKeys = sortsKeys
        bytes.reserveCapacity(capacity)
    }

    /// Appends a value. A number that JSON can't express (NaN, infinite) is written as null.
    package mutating func write(_ value: JSON) {
        switch value {
        case .null: literal("null")
        case .bool(let value): literal(value ? "true" : "false")
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .number(let value):
            if value.isFinite { bytes.append(contentsOf: "\(value)".utf8) } else { literal("null") }
        case .string(let value): write(string: value)
        case .array(let elements): write(array: elements)
        case .object(let object): write(object: object)
        }
    }

    /// Appends a string with its quotes, escaping what JSON demands and nothing else.
    package mutating func write(string: String) {
        bytes.append(UInt8(ascii: "\""))
        var copy = string
        copy.withUTF8 { text in
            var clean = 0
            for index in text.indices where Self.needsEscape(text[index]) {
                bytes.append(contentsOf: text[clean..<index])
                escape(text[index])
                clean = index + 1
            }
            bytes.append(contentsOf: text[clean...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func write(array: [JSON]) {
        bytes.append(UInt8(ascii: "["))
        for (index, element) in array.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(element)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func write(object: JSONObject) {
        let members =
            sortsKeys
            ? object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            : object.members
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(string: member.key)
            bytes.append(UInt8(ascii: ":"))
            write(member.value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func literal(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): literal("\\\"")
        case UInt8(ascii: "\\"): literal("\\\\")
        case 0x0A: literal("\\n")
        case 0x0D: literal("\\r")
        case 0x09: literal("\\t")
        default:
            literal("\\u00")
            bytes.append(Self.hex[Int(byte >> 4)])
            bytes.append(Self.hex[Int(byte & 15)])
        }
    }

    private static let hex = Array("0123456789abcdef".utf8)
}
