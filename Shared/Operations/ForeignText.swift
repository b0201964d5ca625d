internal import JSON

/// What somebody wrote into a message, so that it can be shown: bounded, without anything that moves a terminal's cursor or
/// turns a page's text round, and without what looks like a secret. The system's own messages hold ids only; what others
/// wrote may hold anything.
package struct ForeignText: Sendable, Equatable {
    /// Members with these words in their names are not shown.
    private static let secretNames = [
        "secret", "password", "passwd", "token", "authorization", "credential", "key",
    ]
    /// From this length on, letters and digits without a gap may be a key. Ids are written with dashes.
    private static let secretLength = 20
    private static let mask = "•••"

    package let text: String
    /// Whether there is more than is shown.
    package let isCut: Bool

    package init(_ text: String, isCut: Bool) {
        self.text = text
        self.isCut = isCut
    }

    /// At most `limit` characters of `bytes`.
    package init(_ bytes: [UInt8], limit: Int) {
        // Cut only after masking: half a secret is one, too.
        let readable = Self.withoutSecrets(Self.masked(bytes))
        var escaped = ""
        var count = 0
        for scalar in readable.unicodeScalars {
            let next = Self.escaped(scalar)
            count += next.count
            guard count <= limit else {
                (text, isCut) = (escaped, true)
                return
            }
            escaped += next
        }
        (text, isCut) = (escaped, false)
    }

    /// JSON with the values of suspicious members replaced; anything else as it is.
    private static func masked(_ bytes: [UInt8]) -> String {
        guard let json = try? JSON(parsing: bytes) else { return String(decoding: bytes, as: UTF8.self) }
        return masked(json).text
    }

    private static func masked(_ json: JSON) -> JSON {
        if let object = json.object {
            return .object(
                JSONObject(
                    object.members.map { name, value in
                        let lower = name.lowercased()
                        return (
                            name, secretNames.contains { lower.contains($0) } ? .string(mask) : masked(value)
                        )
                    }))
        }
        if let array = json.array { return .array(array.map(masked)) }
        return json
    }

    /// Without long words that mix letters and digits, except ids (UUIDs).
    private static func withoutSecrets(_ text: String) -> String {
        var (shown, word) = ("", "")
        func flush() {
            let isID = word.count == 36 && word.filter { $0 == "-" }.count == 4
            let isMixed = word.contains(where: \.isNumber) && word.contains(where: \.isLetter)
            shown += word.count >= secretLength && isMixed && !isID ? mask : word
            word = ""
        }
        for character in text {
            if character.isASCII, character.isLetter || character.isNumber || "_-+/=".contains(character) {
                word.append(character)
            } else {
                flush()
                shown.append(character)
            }
        }
        flush()
        return shown
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
}
