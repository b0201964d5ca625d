import Crypto
import FoundationEssentials
import Sealing
import Store

/// A key that a webhook's messages are signed with (Standard Webhooks 1.0.0). Nothing that prints or reflects it shows it.
struct SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    private enum Kind: Sendable {
        case hmac(SymmetricKey)
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    private static let secretPrefix = "whsec_"
    private static let privatePrefix = "whsk_"
    /// How many bytes the standard allows of a secret.
    private static let secretLengths = 24...64

    private let kind: Kind

    /// Reads `whsec_` and 24 to 64 bytes in base64, or `whsk_` and the 32 bytes of a private key; nil for anything else.
    init?(_ secret: Sealing.Secret, _ signing: WebhookSigning) {
        let text = secret.reveal { String(decoding: $0, as: UTF8.self) }
        switch signing {
        case .hmacSHA256:
            guard let bytes = Self.bytes(text, Self.secretPrefix), Self.secretLengths.contains(bytes.count)
            else { return nil }
            kind = .hmac(SymmetricKey(data: bytes))
        case .ed25519:
            guard let bytes = Self.bytes(text, Self.privatePrefix),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
            else { return nil }
            kind = .ed25519(key)
        }
    }

    private static func bytes(_ text: String, _ prefix: String) -> Data? {
        text.hasPrefix(prefix) ? Data(base64Encoded: String(text.dropFirst(prefix.count))) : nil
    }

    /// `v1,` and the HMAC-SHA256, or `v1a,` and the Ed25519 signature, in base64.
    func signature(of bytes: [UInt8]) throws -> String {
        switch kind {
        case .hmac(let key):
            "v1,\(Data(HMAC<SHA256>.authenticationCode(for: bytes, using: key)).base64EncodedString())"
        case .ed25519(let key): "v1a,\(try key.signature(for: bytes).base64EncodedString())"
        }
    }

    var description: String { "(secret)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
