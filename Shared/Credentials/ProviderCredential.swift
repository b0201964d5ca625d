internal import FoundationEssentials
internal import JSON
package import Sealing

/// What an application proves itself with at a provider.
package enum ProviderCredential: Sendable {
    /// The words that the store and the API know the kinds by.
    package enum Kind: String, Sendable, CaseIterable {
        case clientSecret = "secret"
        case certificate
    }

    case clientSecret(Secret)
    case certificate(CertificateCredential)

    /// Which of the two it is.
    package var kind: Kind {
        switch self {
        case .clientSecret: .clientSecret
        case .certificate: .certificate
        }
    }

    /// The longest client secret, in bytes.
    package static let secretLimit = 1_024

    /// Takes a client secret: 1 to ``secretLimit`` bytes without white space or control characters. A line end that came
    /// with it from a file is the caller's to remove.
    package init(clientSecret text: String) throws(CredentialFault) {
        guard (1...Self.secretLimit).contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F })
        else { throw .notASecret }
        self = .clientSecret(Secret(Array(text.utf8)))
    }

    // MARK: as it is sealed

    /// What is sealed: a JSON object with the keys that the kind requires, and no others.
    package var payload: Secret {
        let object: JSON =
            switch self {
            case .clientSecret(let secret):
                ["client_secret": .string(secret.reveal { String(decoding: $0, as: UTF8.self) })]
            case .certificate(let certificate):
                [
                    "private_key": .string(certificate.privateKeyText),
                    "certificate_sha256": .string(Data(certificate.thumbprint).base64EncodedString()),
                ]
            }
        return Secret(object.bytes)
    }

    /// Reads what was sealed. Throws ``CredentialFault/keyMissing(_:)`` when a required key is not there.
    package init(payload: Secret) throws(CredentialFault) {
        let object = payload.reveal { try? JSON(parsing: $0) }
        if let key = object?["private_key"]?.string {
            guard let text = object?["certificate_sha256"]?.string,
                let thumbprint = Data(base64Encoded: text),
                thumbprint.count == CertificateCredential.thumbprintLength
            else { throw .keyMissing("certificate_sha256") }
            self = .certificate(try CertificateCredential(privateKeyText: key, thumbprint: Array(thumbprint)))
        } else {
            guard let secret = object?["client_secret"]?.string, !secret.isEmpty else {
                throw .keyMissing("client_secret")
            }
            self = .clientSecret(Secret(Array(secret.utf8)))
        }
    }
}

/// Why something is no credential. It never carries any part of one.
package enum CredentialFault: Error, Sendable, Hashable, CustomStringConvertible {
    case notASecret
    /// A required key of a sealed payload, by its name.
    case keyMissing(String)
    case notACertificate
    case notAPrivateKey
    /// The key is of the certificate's owner, or it is not: here it is not.
    case keyOfAnotherCertificate
    /// Its validity has ended, or has not begun.
    case notValidNow

    package var description: String {
        switch self {
        case .notASecret:
            "must have 1 to \(ProviderCredential.secretLimit) characters without blanks and line ends"
        case .keyMissing(let name): "\(name) is missing"
        case .notACertificate: "must hold an X.509 certificate with an RSA key, in PEM"
        case .notAPrivateKey:
            "must be an RSA key of \(CertificateCredential.keyBits.lowerBound) to"
                + " \(CertificateCredential.keyBits.upperBound) bits, in PEM and without a passphrase"
        case .keyOfAnotherCertificate: "belongs to another certificate"
        case .notValidNow: "is not valid now: its time has ended, or has not begun"
        }
    }
}
