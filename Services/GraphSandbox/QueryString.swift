/// The options behind a URL's question mark, in their order and with the bytes that the client sent.
struct QueryString: Sendable, Hashable {
    /// One option: its raw text, and its decoded name and value.
    struct Option: Sendable, Hashable {
        let raw: Substring
        let name: String
        let value: String
    }

    let options: [Option]

    /// - Parameter text: what stands behind the question mark; broken percent escapes are kept as they are.
    init(_ text: String) {
        options = text.split(separator: "&").map { piece in
            let parts = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return Option(
                raw: piece, name: Self.decoded(parts[0]), value: parts.count > 1 ? Self.decoded(parts[1]) : ""
            )
        }
    }

    /// The decoded value of the first option called `name` (any letter case); nil when it is absent.
    subscript(name: String) -> String? {
        options.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The raw text of all options but those called `name`.
    func raw(without name: String) -> String {
        options.filter { $0.name.lowercased() != name }.map { String($0.raw) }.joined(separator: "&")
    }

    /// Percent escapes and plus signs decoded, as in a form.
    static func decoded(_ text: Substring) -> String {
        PercentCoding.decode(text, plusIsSpace: true) ?? String(text)
    }
}

/// Percent escapes of URLs (RFC 3986 §2.1) and forms.
enum PercentCoding {
    /// The decoded text; nil when an escape is broken or the bytes aren't UTF-8.
    static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), plusIsSpace {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                let digits = rest.prefix(2)
                guard digits.count == 2, let value = UInt8(Substring(digits), radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Everything but letters, digits and `-._~` escaped.
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar)
            {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
