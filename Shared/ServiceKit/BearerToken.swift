internal import Crypto

/// The secret that a caller shows with each request: `ta_` and 32 random bytes in base64url.
///
/// It has no description: a token must not get into a log by accident.
package struct BearerToken: Sendable {
    private static let prefix = "ta_"
    private static let byteCount = 32
    private static let textLength = 46

    private let text: String

    /// A new one.
    package static func random() -> BearerToken {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return BearerToken(text: prefix + Base64URL.encode(bytes))
    }

    /// The token of an `Authorization` header; nil when it holds none of this form.
    package init?(authorization header: String) {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        self.init(String(parts[1]))
    }

    /// Reads a token; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == Self.textLength, text.hasPrefix(Self.prefix),
            Base64URL.decode(String(text.dropFirst(Self.prefix.count)))?.count == Self.byteCount
        else { return nil }
        self.text = text
    }

    private init(text: String) { self.text = text }

    /// What is stored in its place: the SHA-256 of its text, 32 bytes.
    package var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// The text, to be shown once to whoever asked for a token.
    package func reveal() -> String { text }
}
