import Crypto
import ServiceKit

/// What only a page of the session knows: proves that a form was filled in there (CSRF), and signs what the browser is
/// given to keep. Derived from the session's secret, so it needs no place of its own and ends with it.
struct SessionSeal: Sendable {
    private let key: SymmetricKey

    init(_ secret: String) { key = SymmetricKey(data: SHA256.hash(data: Array("seal:\(secret)".utf8))) }

    /// The token that each form carries.
    var formToken: String { mac("form") }

    /// Whether `text` is the session's form token.
    func accepts(formToken text: String) -> Bool { isMac(text, of: "form") }

    /// A key for what a form starts: the same for the same session and text, so that a form sent twice starts once.
    func key(_ text: String) -> String { mac("key:" + text) }

    /// `text` with a mark that only this session makes.
    func signed(_ text: String) -> String { "\(Base64URL.encode(Array(text.utf8))).\(mac("text:" + text))" }

    /// What was signed; nil for anything else.
    func opened(_ signed: String) -> String? {
        let parts = signed.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = Base64URL.decode(String(parts[0])),
            let text = String(validating: bytes, as: UTF8.self),
            isMac(String(parts[1]), of: "text:" + text)
        else { return nil }
        return text
    }

    private func mac(_ text: String) -> String {
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)))
    }

    /// Whether `code` is the mark of `text`; takes the same time wherever they differ.
    private func isMac(_ code: String, of text: String) -> Bool {
        guard let code = Base64URL.decode(code) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(text.utf8), using: key)
    }
}
