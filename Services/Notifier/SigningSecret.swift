import Crypto
import FoundationEssentials
import Sealing

/// The key that a webhook's messages are signed with. Nothing that prints or reflects it shows it.
struct SigningSecret: Sendable, CustomStringConvertible, CustomReflectable {
    private static let prefix = "whsec_"
    /// How many bytes the standard allows.
    private static let lengths = 24...64

    private let key: SymmetricKey

    /// Reads `whsec_` and 24 to 64 bytes in base64; nil for anything else.
    init?(_ secret: Sealing.Secret) {
        let bytes = secret.reveal { text in
            let text = String(decoding: text, as: UTF8.self)
            return text.hasPrefix(Self.prefix)
                ? Data(base64Encoded: String(text.dropFirst(Self.prefix.count))) : nil
        }
        guard let bytes, Self.lengths.contains(bytes.count) else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// `v1,` and the HMAC-SHA256 in base64.
    func signature(of bytes: [UInt8]) -> String {
        "v1,\(Data(HMAC<SHA256>.authenticationCode(for: bytes, using: key)).base64EncodedString())"
    }

    var description: String { "(secret)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
