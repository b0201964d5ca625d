internal import Crypto
internal import CryptoExtras
package import Foundation
internal import SwiftASN1
internal import X509

/// A key and a certificate that it signed itself.
package struct SampleCertificate: Sendable {
    /// Both in PEM.
    package let certificate: String
    package let privateKey: String
    /// The SHA-256 of the certificate's DER.
    package let thumbprint: [UInt8]

    /// Made once: keys take a while.
    package static let shared = try! SampleCertificate()
    package static let other = try! SampleCertificate()

    /// A new one, valid from a day ago until `expires` from now, in seconds.
    package init(from begin: TimeInterval = -86_400, expires end: TimeInterval = 86_400 * 30) throws {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let name = try DistinguishedName { CommonName("TenantAtlas test") }
        let made = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: begin), notValidAfter: Date(timeIntervalSinceNow: end),
            issuer: name, subject: name, signatureAlgorithm: .sha256WithRSAEncryption,
            extensions: Certificate.Extensions(), issuerPrivateKey: .init(key))
        let document = try made.serializeAsPEM()
        certificate = document.pemString
        privateKey = key.pkcs8PEMRepresentation
        thumbprint = Array(SHA256.hash(data: document.derBytes))
    }
}
