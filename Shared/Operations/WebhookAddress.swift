/// The address of a webhook, as far as its text can be judged. Where it leads is judged when something is sent.
package struct WebhookAddress: Sendable, Hashable {
    /// As it was given. It may hold a secret: never to be shown or logged.
    package let text: String
    /// Scheme, host and port: what people may read of it.
    package let origin: String

    /// The most bytes of an address.
    package static let lengthLimit = 2_000
    /// What an address must be, to complete «must be …».
    package static let rule =
        "an https:// address of at most 2000 printable ASCII characters, without user name and fragment"

    private static let portLimit = 65_535

    /// Nil for anything else. `allowsHTTP`: for development.
    package init?(_ text: String, allowsHTTP: Bool) {
        let schemes = allowsHTTP ? ["https://", "http://"] : ["https://"]
        guard text.utf8.count <= Self.lengthLimit, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let scheme = schemes.first(where: text.lowercased().hasPrefix), !text.contains("#"),
            !text.contains("\\")
        else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }.lowercased()
        guard Self.isAuthority(authority) else { return nil }
        self.text = text
        origin = scheme + authority
    }

    /// A host name or address with or without a port; no user name: it would be a password in a log.
    private static func isAuthority(_ text: String) -> Bool {
        var host = text[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            let inside = text[text.index(after: text.startIndex)..<end]
            guard inside.contains(":"), inside.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return false
            }
            return isPort(text[text.index(after: end)...])
        }
        var port = Substring()
        if let colon = text.firstIndex(of: ":") { (host, port) = (text[..<colon], text[colon...]) }
        return (1...253).contains(host.utf8.count) && isPort(port)
            && host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// Nothing, or a colon and a number.
    private static func isPort(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.hasPrefix(":"), text.utf8.count <= 6,
            text.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text.dropFirst())
        else { return false }
        return (1...portLimit).contains(port)
    }
}
