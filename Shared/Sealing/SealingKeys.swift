internal import Crypto
internal import FoundationEssentials

/// Names a key pair: the first 8 bytes of the public key's SHA-256, in hexadecimal.
package struct KeyID: Sendable, Hashable, CustomStringConvertible {
    /// 16 hexadecimal digits in lower case; for an id that was stored, whatever is stored.
    package let description: String

    /// A stored id.
    package init(_ text: String) { description = text }

    fileprivate init(of key: Curve25519.KeyAgreement.PublicKey) {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = SHA256.hash(data: key.rawRepresentation).prefix(8)
        description = String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// The half of a key pair that seals. Whoever has it can't open anything.
package struct SealingPublicKey: Sendable, CustomStringConvertible {
    private static let prefix = "ta-public:"

    let key: Curve25519.KeyAgreement.PublicKey

    /// Names the pair.
    package var id: KeyID { KeyID(of: key) }

    init(_ key: Curve25519.KeyAgreement.PublicKey) { self.key = key }

    /// Reads the text form; white space around it (a file's line end) does not matter.
    package init(text: String) throws(SealingError) {
        guard let bytes = keyBytes(text, prefix: Self.prefix),
            let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes)
        else { throw .notAPublicKey }
        self.key = key
    }

    /// The text form, for files and environment variables.
    package var text: String { Self.prefix + key.rawRepresentation.base64EncodedString() }

    package var description: String { "public key \(id)" }
}

/// The half of a key pair that opens. Only the programs that call providers have it.
package struct SealingPrivateKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private static let prefix = "ta-private:"

    let key: Curve25519.KeyAgreement.PrivateKey

    /// A new pair, from the system's randomness.
    package init() { key = Curve25519.KeyAgreement.PrivateKey() }

    /// Reads the text form; white space around it (a file's line end) does not matter.
    package init(text: String) throws(SealingError) {
        guard let bytes = keyBytes(text, prefix: Self.prefix),
            let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
        else { throw .notAPrivateKey }
        self.key = key
    }

    /// The text form, for a file that only the program may read. It is a secret.
    package var text: String { Self.prefix + key.rawRepresentation.base64EncodedString() }

    /// The other half.
    package var publicKey: SealingPublicKey { SealingPublicKey(key.publicKey) }

    package var description: String { "private key \(publicKey.id)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

private func keyBytes(_ text: String, prefix: String) -> Data? {
    guard let start = text.firstIndex(where: { !$0.isWhitespace }),
        let end = text.lastIndex(where: { !$0.isWhitespace })
    else { return nil }
    let word = text[start...end]
    guard word.hasPrefix(prefix), let bytes = Data(base64Encoded: String(word.dropFirst(prefix.count))),
        bytes.count == 32
    else { return nil }
    return bytes
}
