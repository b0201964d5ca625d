/// An address that mails can be sent to: `local@domain` in ASCII, without quotes, comments or address literals.
package struct EmailAddress: Sendable, Hashable {
    /// As it was given.
    package let text: String

    /// The most bytes of an address.
    package static let lengthLimit = 254
    private static let localLimit = 64

    /// Nil for anything else: nobody has them, and what is not one word could hide a second address or a header.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= Self.lengthLimit,
            (1...Self.localLimit).contains(parts[0].utf8.count), Self.isDomain(parts[1]),
            parts[0].utf8.allSatisfy(Self.isLocal), !parts[0].hasPrefix("."), !parts[0].hasSuffix("."),
            !parts[0].contains("..")
        else { return nil }
        self.text = text
    }

    /// What stands behind the «@».
    package var domain: String { String(text[text.index(after: text.firstIndex(of: "@")!)...]) }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isLocal(_ byte: UInt8) -> Bool {
        isWord(byte) || "!#$%&'*+-./=?^_`{|}~".utf8.contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
