import Crypto
import FoundationEssentials

/// The secret that a caller shows with each request: `ta_` and 32 random bytes in base64url, as the Starter
/// reads it. It has no description: a token must not get into a log by accident.
struct BearerToken: Sendable {
    private let text: String

    /// A new one.
    static func random() -> BearerToken {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let text = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        return BearerToken(text: "ta_" + text.prefix { $0 != "=" })
    }

    private init(text: String) { self.text = text }

    /// What is stored in its place: the SHA-256 of its text, 32 bytes.
    var hash: [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// The text, to be shown once to whoever asked for a token.
    func reveal() -> String { text }
}
