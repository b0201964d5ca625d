import HTTPTypes
import Hummingbird

/// The cookies that the console keeps in a browser.
struct Cookies: Sendable {
    enum Name: String {
        /// The session's secret.
        case session
        /// A sign-in at the identity provider that is under way.
        case flow
        /// What happened, told on the next page.
        case notice
        /// `light` or `dark`; without it the system's.
        case theme
    }

    private let isSecure: Bool

    /// `isSecure`: over TLS; then names get the prefix that lets no other host set them.
    init(isSecure: Bool) { self.isSecure = isSecure }

    /// The value that a request carries; nil when it has none.
    func value(_ name: Name, in headers: HTTPFields) -> String? {
        let wanted = fullName(name)
        for field in headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let parts = pair.trimmed.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0] == wanted { return String(parts[1]) }
            }
        }
        return nil
    }

    /// A `Set-Cookie` that keeps the value until the browser is closed, or for `seconds`; nil takes it away.
    func setting(_ name: Name, to value: String?, seconds: Int? = nil) -> String {
        var text = "\(fullName(name))=\(value ?? ""); Path=/; HttpOnly; SameSite=Lax"
        if isSecure { text += "; Secure" }
        if let age = value == nil ? 0 : seconds { text += "; Max-Age=\(age)" }
        return text
    }

    private func fullName(_ name: Name) -> String { (isSecure ? "__Host-" : "") + name.rawValue }
}
