import CredentialFixtures
import Credentials
import Crypto
import CryptoExtras
import Foundation
import JSON
import Sealing
import Testing

@Suite struct CertificateTests {
    private func accept(
        _ certificates: String, _ key: String, now: Date = Date()
    ) throws -> CertificateCredential.Accepted {
        try CertificateCredential.accept(
            certificates: certificates, privateKey: Secret(Array(key.utf8)), now: now)
    }

    @Test func aCertificateWithItsKeyIsTaken() throws {
        let sample = SampleCertificate.shared
        let accepted = try accept(sample.certificate, sample.privateKey)
        #expect(accepted.credential.thumbprint == sample.thumbprint)
        #expect(abs(accepted.expiresAt.timeIntervalSinceNow - 86_400 * 30) < 600)
        // Of a chain, the one that the key belongs to.
        let chain = SampleCertificate.other.certificate + "\n" + sample.certificate
        #expect(try accept(chain, sample.privateKey).credential.thumbprint == sample.thumbprint)
        // Keys come in two forms.
        let old = try _RSA.Signing.PrivateKey(pemRepresentation: sample.privateKey).pemRepresentation
        #expect(old.contains("RSA PRIVATE KEY"))
        #expect(try accept(sample.certificate, old).credential.thumbprint == sample.thumbprint)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let (sample, other) = (SampleCertificate.shared, SampleCertificate.other)
        #expect(throws: CredentialFault.keyOfAnotherCertificate) {
            try accept(other.certificate, sample.privateKey)
        }
        for text in [
            "", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", sample.privateKey,
        ] {
            #expect(throws: CredentialFault.notACertificate) { try accept(text, sample.privateKey) }
        }
        let elliptic = P256.Signing.PrivateKey().pemRepresentation
        for text in ["", "x", sample.certificate, elliptic, String(repeating: "A", count: 30_000)] {
            #expect(throws: CredentialFault.notAPrivateKey) { try accept(sample.certificate, text) }
        }
        #expect(throws: CredentialFault.notValidNow) {
            try accept(sample.certificate, sample.privateKey, now: Date(timeIntervalSinceNow: 86_400 * 31))
        }
        #expect(throws: CredentialFault.notValidNow) {
            try accept(sample.certificate, sample.privateKey, now: Date(timeIntervalSinceNow: -86_400 * 2))
        }
    }

    @Test func payloadsReadBack() throws {
        let sample = SampleCertificate.shared
        let credential = ProviderCredential.certificate(
            try accept(sample.certificate, sample.privateKey).credential)
        guard case .certificate(let read) = try ProviderCredential(payload: credential.payload) else {
            Issue.record("another kind")
            return
        }
        #expect(read.thumbprint == sample.thumbprint)
        let secret = try ProviderCredential(clientSecret: "a~b.c_d-e+/=&%")
        guard case .clientSecret(let value) = try ProviderCredential(payload: secret.payload) else {
            Issue.record("another kind")
            return
        }
        #expect(value.reveal { String(decoding: $0, as: UTF8.self) } == "a~b.c_d-e+/=&%")
        for payload in ["", "[]", "{}", #"{"client_secret":""}"#, #"{"client_secret":7}"#] {
            #expect(throws: CredentialFault.keyMissing("client_secret")) {
                try ProviderCredential(payload: Secret(Array(payload.utf8)))
            }
        }
        #expect(throws: CredentialFault.keyMissing("certificate_sha256")) {
            try ProviderCredential(payload: Secret(Array(#"{"private_key":"x"}"#.utf8)))
        }
    }

    @Test(arguments: ["", " ", "a b", "a\n", "\u{7}", String(repeating: "a", count: 1_025)])
    func whatIsNoSecretIsRefused(_ text: String) {
        #expect(throws: CredentialFault.notASecret) { try ProviderCredential(clientSecret: text) }
    }

    /// Verified by hand, with the certificate's public key alone.
    @Test func anAssertionIsSignedAndSaysWhatItMust() throws {
        let sample = SampleCertificate.shared
        let credential = try accept(sample.certificate, sample.privateKey).credential
        let (id, now) = (UUID(), Date(timeIntervalSince1970: 1_800_000_000))
        let text = try credential.assertion(audience: "https://login/t", clientID: "app", id: id, now: now)
            .reveal { String(decoding: $0, as: UTF8.self) }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        try #require(parts.count == 3)
        let header = try JSON(parsing: Array(#require(Self.decode(parts[0]))))
        #expect(header["alg"]?.string == "PS256")
        #expect(header["x5t#S256"]?.string.flatMap(Self.decode).map { Array($0) } == sample.thumbprint)
        let claims = try JSON(parsing: Array(#require(Self.decode(parts[1]))))
        #expect(claims["aud"]?.string == "https://login/t")
        #expect(claims["iss"]?.string == "app")
        #expect(claims["sub"]?.string == "app")
        #expect(claims["jti"]?.string == id.uuidString.lowercased())
        #expect(claims["nbf"]?.integer == 1_800_000_000)
        #expect(claims["exp"]?.integer == 1_800_000_300)
        let key = try _RSA.Signing.PrivateKey(pemRepresentation: sample.privateKey).publicKey
        let signature = _RSA.Signing.RSASignature(rawRepresentation: try #require(Self.decode(parts[2])))
        let signed = Data("\(parts[0]).\(parts[1])".utf8)
        #expect(key.isValidSignature(signature, for: signed, padding: .PSS))
        #expect(!key.isValidSignature(signature, for: signed + [0], padding: .PSS))
        #expect(!text.contains("="))
    }

    private static func decode(_ text: String) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }

    @Test func nothingPrintsAKey() throws {
        let sample = SampleCertificate.shared
        let credential = ProviderCredential.certificate(
            try accept(sample.certificate, sample.privateKey).credential)
        var dumped = ""
        dump(credential, to: &dumped)
        let text = "\(credential) \(String(reflecting: credential)) \(dumped)"
        #expect(!text.contains("PRIVATE"))
        #expect(!text.contains("RSA"))
    }
}
