import Crypto
import CryptoExtras
import FoundationEssentials
import SwiftASN1
import X509

/// A certificate that was registered with an app: whoever has its key may sign assertions.
struct RegisteredCertificate: Sendable, Hashable {
    /// The most that one app has.
    static let limit = 20

    /// SHA-256 and SHA-1 of the DER, in base64url: by these an assertion names it.
    let thumbprint: String
    let oldThumbprint: String
    private let publicKey: Data
    private let validFrom: Int64
    private let validUntil: Int64

    /// Nil for anything but one certificate with an RSA key.
    init?(pem: String) {
        guard pem.utf8.count <= 16_384, let document = try? PEMDocument(pemString: pem),
            let certificate = try? Certificate(pemDocument: document),
            let key = _RSA.Signing.PublicKey(certificate.publicKey)
        else { return nil }
        thumbprint = Base64URL.encode(Array(SHA256.hash(data: document.derBytes)))
        oldThumbprint = Base64URL.encode(Array(Insecure.SHA1.hash(data: document.derBytes)))
        publicKey = key.derRepresentation
        validFrom = Int64(certificate.notValidBefore.timeIntervalSince1970)
        validUntil = Int64(certificate.notValidAfter.timeIntervalSince1970)
    }

    /// Whether its time has begun and not ended; in seconds since 1970.
    func isValid(at now: Int64) -> Bool { (validFrom...validUntil).contains(now) }

    /// Whether the signature over the data is the key's, in one of the two forms that Entra takes.
    func verifies(_ signature: [UInt8], of data: [UInt8], isPSS: Bool) -> Bool {
        guard let key = try? _RSA.Signing.PublicKey(derRepresentation: publicKey) else { return false }
        return key.isValidSignature(
            _RSA.Signing.RSASignature(rawRepresentation: signature), for: data,
            padding: isPSS ? .PSS : .insecurePKCS1v1_5)
    }
}
