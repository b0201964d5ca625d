import Glibc

/// One SQL statement, whose text is fixed in the source: nothing can be interpolated into it.
///
/// Values are passed as parameters (`$1`, `$2` …). A statement is prepared once per connection and found
/// again by its text, so the same text written in two places is one statement.
package struct Statement: Sendable, Hashable, ExpressibleByStringLiteral {
    let text: StaticString
    /// FNV-1a of the text: the hash, and the name under which the server keeps it.
    let fingerprint: UInt64
    /// Whether losing the reply is harmless: the statement begins with a word that only reads.
    let onlyReads: Bool

    /// Traps on a text with a NUL, which C would cut off there.
    package init(_ sql: StaticString) {
        precondition(sql.hasPointerRepresentation, "a statement is a string, not a single scalar")
        let bytes = UnsafeBufferPointer(start: sql.utf8Start, count: sql.utf8CodeUnitCount)
        text = sql
        fingerprint = Self.fingerprint(bytes)
        onlyReads = Self.onlyReads(bytes)
    }

    package init(stringLiteral sql: StaticString) { self.init(sql) }

    package static func == (left: Statement, right: Statement) -> Bool {
        guard left.fingerprint == right.fingerprint else { return false }
        let count = left.text.utf8CodeUnitCount
        guard count == right.text.utf8CodeUnitCount else { return false }
        return left.text.utf8Start == right.text.utf8Start
            || memcmp(left.text.utf8Start, right.text.utf8Start, count) == 0
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }

    /// The statement's name on the server, as a C string.
    var preparedName: [CChar] {
        Array("s\(String(fingerprint, radix: 16))".utf8CString)
    }

    /// Lends the text as a C string: a static string ends with a NUL.
    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        text.utf8Start.withMemoryRebound(to: CChar.self, capacity: text.utf8CodeUnitCount + 1) { body($0) }
    }

    private static func fingerprint(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes {
            precondition(byte != 0, "a statement contains a NUL")
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return hash
    }

    private static func onlyReads(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let isSpace: (UInt8) -> Bool = { $0 == 32 || $0 == 10 || $0 == 9 || $0 == 13 }
        let isLetter: (UInt8) -> Bool = { (0x61...0x7a).contains($0 | 0x20) }
        let word = bytes.drop(while: isSpace).prefix(while: isLetter).map { $0 | 0x20 }
        return ["select", "values", "show"].contains { $0.utf8.elementsEqual(word) }
    }
}
