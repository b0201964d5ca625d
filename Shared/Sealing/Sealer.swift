internal import Crypto
internal import FoundationEssentials

/// A value as it is stored: only the private key of the named pair opens it, and only in its context.
package struct Sealed: Sendable, Hashable {
    /// The pair it was sealed to.
    package let keyID: KeyID
    /// One byte that tells the form, the encapsulated key, and the cipher text with its tag.
    package let bytes: [UInt8]

    /// A stored value.
    package init(keyID: KeyID, bytes: [UInt8]) {
        self.keyID = keyID
        self.bytes = bytes
    }
}

/// Seals values to a public key (HPKE, RFC 9180, base mode; X25519, HKDF-SHA256, ChaCha20-Poly1305).
package struct Sealer: Sendable {
    /// The most bytes of one value.
    package static let longestValue = 16 * 1_024

    private let publicKey: SealingPublicKey

    /// Seals to the pair that `publicKey` belongs to.
    package init(publicKey: SealingPublicKey) { self.publicKey = publicKey }

    /// Seals one value. Sealing the same twice gives different bytes.
    package func seal(_ value: Secret, _ context: SealingContext) throws(SealingError) -> Sealed {
        guard value.reveal({ $0.count <= Self.longestValue }) else { throw .tooLong }
        do {
            var sender = try HPKE.Sender(
                recipientKey: publicKey.key, ciphersuite: .sealing, info: context.information)
            let sealed = try value.reveal { bytes throws in
                try sender.seal(bytes, authenticating: context.associatedData)
            }
            return Sealed(
                keyID: publicKey.id, bytes: [Opener.form] + Array(sender.encapsulatedKey) + Array(sealed))
        } catch {
            // The only way to get here is a key that the curve refuses.
            throw .notAPublicKey
        }
    }
}

/// Opens what was sealed to any of several key pairs: after a change of keys, the old one stays until
/// everything is sealed anew.
package struct Opener: Sendable {
    /// The first byte of everything sealed in this way.
    static let form: UInt8 = 1
    private static let encapsulatedKeyLength = 32

    private let privateKeys: [KeyID: SealingPrivateKey]

    /// Opens what was sealed to one of these.
    package init(privateKeys: [SealingPrivateKey]) {
        self.privateKeys = Dictionary(privateKeys.map { ($0.publicKey.id, $0) }) { first, _ in first }
    }

    /// Opens one value. Throws ``SealingError/notAuthentic`` when a bit of it or of its context differs.
    package func open(_ sealed: Sealed, _ context: SealingContext) throws(SealingError) -> Secret {
        guard let privateKey = privateKeys[sealed.keyID] else { throw .keyNotHeld(sealed.keyID) }
        guard sealed.bytes.count > Self.encapsulatedKeyLength, sealed.bytes[0] == Self.form else {
            throw .notAuthentic
        }
        let split = 1 + Self.encapsulatedKeyLength
        do {
            var recipient = try HPKE.Recipient(
                privateKey: privateKey.key, ciphersuite: .sealing, info: context.information,
                encapsulatedKey: Data(sealed.bytes[1..<split]))
            let value = try recipient.open(
                sealed.bytes[split...], authenticating: context.associatedData)
            return Secret(Array(value))
        } catch {
            throw .notAuthentic
        }
    }
}

extension HPKE.Ciphersuite {
    fileprivate static let sealing = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
}
