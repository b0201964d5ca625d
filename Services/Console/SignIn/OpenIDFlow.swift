import Crypto
import ServiceKit

/// One sign-in at the identity provider that is under way. Everything about it follows from one secret, which only this
/// browser keeps until it comes back.
struct OpenIDFlow: Sendable {
    /// How long somebody may take to sign in there, in seconds.
    static let limitSeconds = 600

    private let secret: String
    /// Where to go then; a path of this site.
    let back: String

    /// A new one.
    init(back: String) {
        secret = String(BearerToken.random().reveal().dropFirst(3))
        self.back = back
    }

    /// What a browser kept; nil for anything else.
    init?(cookie text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Base64URL.decode(parts[0])?.count == 32,
            let back = Base64URL.decode(parts[1]).flatMap({ String(validating: $0, as: UTF8.self) }),
            let local = Link.local(back)
        else { return nil }
        (secret, self.back) = (parts[0], local)
    }

    /// What the browser keeps.
    var cookie: String { "\(secret).\(Base64URL.encode(Array(back.utf8)))" }

    /// Comes back with the answer: proves that it belongs to this browser's question.
    var state: String { derived("state") }
    /// Comes back in the token: proves that the token was made for this sign-in.
    var nonce: String { derived("nonce") }
    /// Shown when the code is exchanged: whoever only saw the code has no use of it (PKCE, RFC 7636).
    var verifier: String { derived("verifier") }
    /// What the provider is told of the verifier beforehand.
    var challenge: String { Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8)))) }

    private func derived(_ name: String) -> String {
        let key = SymmetricKey(data: Array(secret.utf8))
        return Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: key)))
    }
}
