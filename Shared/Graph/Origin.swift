/// Scheme, host and port of a server: what a bearer token may be sent to.
package struct Origin: Sendable, Hashable, CustomStringConvertible {
    private let scheme: String
    private let host: String
    private let port: Int

    /// The origin of an absolute `http` or `https` URL; nil for anything that two programs might read in two
    /// ways: user names, escapes or brackets in the host, backslashes, blanks, control characters, non-ASCII.
    package init?(url: String) {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }),
            let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://")
        else { return nil }
        scheme = url[..<colon].lowercased()
        guard let defaultPort = ["http": 80, "https": 443][scheme] else { return nil }
        let authority = url[colon...].dropFirst(3).prefix { !"/?#".contains($0) }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty, name.utf8.count <= 253, parts.count <= 2,
            name.utf8.allSatisfy(Self.isHostByte)
        else { return nil }
        host = name.lowercased()
        guard parts.count == 2 else {
            port = defaultPort
            return
        }
        guard let number = Self.port(parts[1]) else { return nil }
        port = number
    }

    /// The origin as the start of a URL, without a closing slash.
    package var description: String {
        let isDefault = port == (scheme == "https" ? 443 : 80)
        return "\(scheme)://\(host)\(isDefault ? "" : ":\(port)")"
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func port(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), (1...65_535).contains(number)
        else { return nil }
        return number
    }
}
