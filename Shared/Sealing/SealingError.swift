/// Why something could not be sealed or opened. It never carries any part of a key or a value.
package enum SealingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A text that should hold a public key, and does not.
    case notAPublicKey
    /// A text that should hold a private key, and does not.
    case notAPrivateKey
    /// Sealed to a key pair whose private key is not here.
    case keyNotHeld(KeyID)
    /// Changed since it was sealed, or it belongs to something else.
    case notAuthentic
    /// Longer than ``Sealer/longestValue`` bytes.
    case tooLong

    package var description: String {
        switch self {
        case .notAPublicKey: "not a public key: the text «ta-public:» and 32 bytes in base64 is expected"
        case .notAPrivateKey: "not a private key: the text «ta-private:» and 32 bytes in base64 is expected"
        case .keyNotHeld(let id): "sealed to the key \(id), whose private key is not configured here"
        case .notAuthentic: "the sealed value was changed, or belongs to something else"
        case .tooLong: "more than \(Sealer.longestValue) bytes can't be sealed"
        }
    }
}
