/// Text that must never be seen: a password, a token, a key.
///
/// It has no description, no coding and no hash, and reflection finds nothing in it, so that it can't get
/// into a log, an error or a page by accident. Reading it takes a call whose name is easy to find.
package struct Secret: Sendable, CustomReflectable {
    private let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// The text itself. Hand it to what needs it, and keep it nowhere.
    package func reveal() -> String { text }

    /// Whether `other` is the same text. The time depends on the length of `other` only, so that nobody
    /// can find the text out byte by byte.
    package func matches(_ other: String) -> Bool {
        let known = Array(text.utf8)
        var difference = known.count ^ other.utf8.count
        for (index, byte) in other.utf8.enumerated() {
            let expected = known.isEmpty ? 0 : known[index % known.count]
            difference |= Int(expected ^ byte)
        }
        return difference == 0
    }

    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
