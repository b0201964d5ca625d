/// One HTTP or HTTPS request. It is checked when it is performed: what could inject a header or another
/// request (CR, LF, NUL, a header that the client itself writes) is refused before anything is sent.
package struct HTTPRequest: Sendable, CustomStringConvertible, CustomReflectable {
    /// For example `GET`: 1 to 16 upper-case letters.
    package var method: String
    /// An absolute `http` or `https` URL in ASCII without user name, at most 16 KiB.
    package var url: String
    /// At most 64 fields and 64 KiB.
    package var headers: [(String, String)]
    package var body: [UInt8]?
    /// From the call until the last byte of the answer, waiting for a free connection included.
    package var timeout: Duration
    /// For name resolution, connection and TLS together.
    package var connectTimeout: Duration
    /// The most bytes of the decoded answer. Reading stops there.
    package var bodyLimit: Int
    package var addressPolicy: AddressPolicy
    /// A PEM file with the only authorities to trust. `nil`: those of the system.
    package var trustedCAFile: String?

    package init(
        method: String = "GET", url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        timeout: Duration = .seconds(30), connectTimeout: Duration = .seconds(5),
        bodyLimit: Int = 16 * 1024 * 1024, addressPolicy: AddressPolicy = .any,
        trustedCAFile: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.bodyLimit = bodyLimit
        self.addressPolicy = addressPolicy
        self.trustedCAFile = trustedCAFile
    }

    /// Method and origin only: path, query, headers and body may all carry secrets.
    package var description: String {
        let scheme = url.prefix { $0 != ":" }
        let authority = url.dropFirst(scheme.count + 3).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.contains("@") ? "(with user name)" : authority
        return "\(method) \(scheme)://\(host)"
    }

    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
