package import FoundationEssentials
internal import JSON
package import Sealing

extension CertificateCredential {
    /// How long an assertion is good for, in seconds. It is used once, right after it was made.
    package static let assertionSeconds = 300

    /// A signed statement that the application asks for a token (RFC 7523): a JWT that names its certificate by
    /// `x5t#S256`. `audience` is the address of the directory's token endpoint; `id` must be a new one.
    package func assertion(audience: String, clientID: String, id: UUID, now: Date) throws -> Secret {
        let moment = Int(now.timeIntervalSince1970)
        let header: JSON = [
            "alg": "PS256", "typ": "JWT", "x5t#S256": .string(Self.base64URL(thumbprint)),
        ]
        let claims: JSON = [
            "aud": .string(audience), "iss": .string(clientID), "sub": .string(clientID),
            "jti": .string(id.uuidString.lowercased()), "iat": .int(moment), "nbf": .int(moment),
            "exp": .int(moment + Self.assertionSeconds),
        ]
        let signed = Self.base64URL(header.bytes) + "." + Self.base64URL(claims.bytes)
        let signature = try signature(of: Array(signed.utf8))
        return Secret(Array("\(signed).\(Self.base64URL(signature))".utf8))
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        let text = Data(bytes).base64EncodedString().prefix { $0 != "=" }
        return String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}
