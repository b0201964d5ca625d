/// The SMTP server that takes our mail.
package struct MailRelay: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package enum Security: Sendable, Equatable {
        /// Plain text. Only to a relay on the own machine, and without credentials: for tests.
        case none
        /// Plain text first; nothing but the greeting is said before TLS stands.
        case startTLSRequired
        /// TLS from the first byte.
        case implicit
    }

    package struct Credentials: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
        package let user: String
        package let password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }

        package var description: String { "credentials" }
        package var customMirror: Mirror { Mirror(self, children: [:]) }
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var credentials: Credentials?
    /// A PEM file with the only authorities to trust. `nil`: those of the system.
    package var trustedCAFile: String?

    package init(
        host: String, port: Int, security: Security, credentials: Credentials? = nil,
        trustedCAFile: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.credentials = credentials
        self.trustedCAFile = trustedCAFile
    }

    package var description: String { "\(host):\(port) (\(security))" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    func check() throws(TransferError) {
        let hostBytes = host.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46: true
            default: false
            }
        }
        guard hostBytes, (1...253).contains(host.utf8.count), (1...65_535).contains(port) else {
            throw .invalid("the relay is not a host name or IPv4 address, and a port from 1 to 65535")
        }
        guard credentials == nil || security != .none else {
            throw .invalid("credentials are not sent without TLS")
        }
        for text in [credentials?.user, credentials?.password, trustedCAFile].compactMap(\.self)
        where text.isEmpty || text.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
            throw .invalid("user, password or CA file is empty or has a control character")
        }
    }
}
