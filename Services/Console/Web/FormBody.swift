/// Names and values in the form in which browsers send them (`application/x-www-form-urlencoded`): a form's body, or
/// the query of an address. A form with files comes as ``MultipartBody``.
struct FormBody: Sendable, Equatable {
    /// The most pairs that are read; the others are dropped.
    private static let limit = 1_000

    let pairs: [(name: String, value: String)]

    init(_ text: some StringProtocol) {
        pairs = text.split(separator: "&", omittingEmptySubsequences: true).prefix(Self.limit).map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count == 2 ? Self.decoded(parts[1]) : "")
        }
    }

    /// What another form of writing held.
    init(pairs: [(name: String, value: String)]) { self.pairs = pairs }

    static func == (left: FormBody, right: FormBody) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0 == $1 }
    }

    /// The first value of the name, without spaces around it; nil when there is none, or it is empty.
    subscript(_ name: String) -> String? {
        guard let value = pairs.first(where: { $0.name == name })?.value else { return nil }
        let text = value.trimmed
        return text.isEmpty ? nil : text
    }

    /// The first value of the name as it was typed.
    func verbatim(_ name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// All values of the name.
    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    private static func decoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        // A NUL can't be stored, and nobody types one.
        return String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    }
}

extension StringProtocol {
    /// Without white space at its ends.
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// Percent-encoded but for the unreserved characters (RFC 3986, section 2.3).
    var urlEncoded: String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
