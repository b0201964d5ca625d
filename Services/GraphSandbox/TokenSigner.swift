import Crypto
import FoundationEssentials
import JSON
import Synchronization

/// Signs and verifies access tokens with a key that lives as long as the process (ES256).
///
/// Entra itself signs with RSA; clients must treat a Graph token as opaque, so the algorithm is free.
final class TokenSigner: Sendable {
    private let key = P256.Signing.PrivateKey()
    /// The key's name in a token's header and in the published key set.
    let keyID: String
    /// Tokens whose signature was found good. A verification costs a hundred times a look-up, and a client
    /// sends the same token for an hour; expiry and revocation are still looked at on every call.
    private let verified = Mutex<[String: AccessToken]>([:])
    private static let cacheLimit = 4_096

    init() { keyID = Base64URL.encode(Array(SHA256.hash(data: key.publicKey.rawRepresentation)).prefix(20)) }

    /// The token in JWT's compact form.
    func sign(_ token: AccessToken) throws -> String {
        let header: JSON = ["typ": "JWT", "alg": "ES256", "kid": .string(keyID)]
        let signed = Base64URL.encode(header.bytes) + "." + Base64URL.encode(token.claims.bytes)
        let signature = try key.signature(for: Data(signed.utf8))
        return signed + "." + Base64URL.encode(Array(signature.rawRepresentation))
    }

    /// The claims of a token that this key signed; nil for everything else.
    func verify(_ text: String) -> AccessToken? {
        if let token = verified.withLock({ $0[text] }) { return token }
        guard let token = checked(text) else { return nil }
        verified.withLock { cache in
            if cache.count >= Self.cacheLimit { cache.removeAll(keepingCapacity: true) }
            cache[text] = token
        }
        return token
    }

    private func checked(_ text: String) -> AccessToken? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3,
            let header = Base64URL.decode(parts[0]).flatMap({ try? JSON(parsing: $0) }),
            header["alg"]?.string == "ES256", header["kid"]?.string == keyID,
            let signature = Base64URL.decode(parts[2]).flatMap({
                try? P256.Signing.ECDSASignature(rawRepresentation: Data($0))
            }),
            key.publicKey.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)),
            let claims = Base64URL.decode(parts[1]).flatMap({ try? JSON(parsing: $0) })
        else { return nil }
        return AccessToken(claims: claims)
    }

    /// The public key as a JSON Web Key Set (RFC 7517).
    var keySet: JSON {
        let point = Array(key.publicKey.rawRepresentation)
        return [
            "keys": [
                [
                    "kty": "EC", "use": "sig", "crv": "P-256", "alg": "ES256", "kid": .string(keyID),
                    "x": .string(Base64URL.encode(point[..<32])),
                    "y": .string(Base64URL.encode(point[32...])),
                ]
            ]
        ]
    }
}
