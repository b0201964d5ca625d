internal import Crypto
internal import CryptoExtras
package import FoundationEssentials
package import Sealing
internal import SwiftASN1
internal import X509

/// An RSA key whose certificate is registered with an application.
package struct CertificateCredential: Sendable, CustomStringConvertible, CustomReflectable {
    /// How long keys may be, in bits. Entra takes no other kinds of keys for assertions.
    package static let keyBits = 2_048...4_096
    /// The longest PEM text of a key or of certificates, in bytes.
    package static let textLimit = 24 * 1_024
    static let thumbprintLength = 32
    /// The most certificates that are looked at in one text.
    private static let chainLimit = 10

    /// The SHA-256 of the certificate's DER: by this the provider finds it.
    package let thumbprint: [UInt8]
    private let key: _RSA.Signing.PrivateKey

    /// A certificate that was found to fit its key.
    package struct Accepted: Sendable {
        package let credential: CertificateCredential
        /// When the certificate ends.
        package let expiresAt: Date
    }

    /// Takes what a person hands over, both in PEM. Of several certificates (a chain), the one of the key counts.
    package static func accept(
        certificates: String, privateKey: Secret, now: Date
    ) throws(CredentialFault) -> Accepted {
        let key = try privateKey.reveal { (bytes) throws(CredentialFault) in
            try Self.key(String(decoding: bytes, as: UTF8.self))
        }
        guard certificates.utf8.count <= textLimit,
            let documents = try? PEMDocument.parseMultiple(pemString: certificates),
            !documents.isEmpty, documents.count <= chainLimit
        else { throw .notACertificate }
        var hasRSA = false
        for document in documents where document.discriminator == Certificate.defaultPEMDiscriminator {
            guard let certificate = try? Certificate(derEncoded: document.derBytes),
                let publicKey = _RSA.Signing.PublicKey(certificate.publicKey)
            else { continue }
            hasRSA = true
            guard publicKey.derRepresentation == key.publicKey.derRepresentation else { continue }
            guard certificate.notValidBefore <= now, now < certificate.notValidAfter else {
                throw .notValidNow
            }
            return Accepted(
                credential: CertificateCredential(
                    thumbprint: Array(SHA256.hash(data: document.derBytes)), key: key),
                expiresAt: certificate.notValidAfter)
        }
        throw hasRSA ? .keyOfAnotherCertificate : .notACertificate
    }

    init(privateKeyText: String, thumbprint: [UInt8]) throws(CredentialFault) {
        self.thumbprint = thumbprint
        key = try Self.key(privateKeyText)
    }

    private init(thumbprint: [UInt8], key: _RSA.Signing.PrivateKey) {
        self.thumbprint = thumbprint
        self.key = key
    }

    private static func key(_ text: String) throws(CredentialFault) -> _RSA.Signing.PrivateKey {
        guard text.utf8.count <= textLimit, let key = try? _RSA.Signing.PrivateKey(pemRepresentation: text),
            keyBits.contains(key.keySizeInBits)
        else { throw .notAPrivateKey }
        return key
    }

    /// PKCS #8 in PEM, whatever form it came in. It is a secret.
    var privateKeyText: String { key.pkcs8PEMRepresentation }

    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes (`PS256`).
    func signature(of data: [UInt8]) throws -> [UInt8] {
        Array(try key.signature(for: data, padding: .PSS).rawRepresentation)
    }

    package var description: String { "certificate credential" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
