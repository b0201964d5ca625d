internal import Crypto
internal import FoundationEssentials

/// What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 7677): the server, its logs and its backups never see the
/// password itself. The password is plain ASCII: others would have to be normalised first.
struct ScramVerifier {
    private static let iterations = 4_096
    private static let saltLength = 16

    /// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
    let text: String

    init(of password: String, salt: [UInt8] = Self.randomSalt()) {
        let salted = SymmetricKey(data: Self.stretched(password, salt))
        let clientKey = HMAC<SHA256>.authenticationCode(for: Array("Client Key".utf8), using: salted)
        let storedKey = SHA256.hash(data: Array(clientKey))
        let serverKey = HMAC<SHA256>.authenticationCode(for: Array("Server Key".utf8), using: salted)
        text =
            "SCRAM-SHA-256$\(Self.iterations):\(Self.base64(salt))$\(Self.base64(storedKey)):\(Self.base64(serverKey))"
    }

    /// PBKDF2 with HMAC-SHA-256, one block.
    private static func stretched(_ password: String, _ salt: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: Array(password.utf8))
        var last = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var sum = last
        for _ in 1..<iterations {
            last = Array(HMAC<SHA256>.authenticationCode(for: last, using: key))
            for index in sum.indices { sum[index] ^= last[index] }
        }
        return sum
    }

    private static func randomSalt() -> [UInt8] {
        (0..<saltLength).map { _ in UInt8.random(in: .min ... .max) }
    }

    private static func base64(_ bytes: some Sequence<UInt8>) -> String { Data(bytes).base64EncodedString() }
}
