import Curl
import Operations
import ServiceKit

/// By which relay mails go, and from whom.
struct MailSettings: Sendable {
    let relay: MailRelay
    let sender: EmailAddress
    /// The console's address, without a slash at its end; nil when there is none.
    let console: String?

    private static let example = "smtp://atlas@mail.example.com:587"
    private static let plainOption = "?tls=none"
    private static let ports = ["smtp": 587, "smtps": 465]

    /// Reads `SMTP_URL`, `SMTP_PASSWORD`, `SMTP_FROM`, `SMTP_CA_FILE` and `CONSOLE_URL`; nil when no relay is set.
    /// What is wrong is noted in `problems`, without its value.
    static func read(_ settings: Configuration, _ problems: inout [String]) -> MailSettings? {
        let url = settings.optionalURL("SMTP_URL", schemes: ["smtp", "smtps"], example: example)
        let password = settings.optionalSecret("SMTP_PASSWORD")
        let from = settings.optional("SMTP_FROM")
        let authority = settings.optional("SMTP_CA_FILE")
        var console = settings.optionalURL(
            "CONSOLE_URL", schemes: ["https", "http"], example: "https://atlas.example.com")
        while console?.hasSuffix("/") == true { console?.removeLast() }
        guard let url else { return nil }
        let relay = relay(url, password, authority)
        if relay == nil {
            problems.append(
                "SMTP_URL is not smtp:// (STARTTLS) or smtps:// with a host, a user name only together with"
                    + " SMTP_PASSWORD, and no password; for example SMTP_URL=\(example)."
                    + " Without TLS, for a relay on the own machine and without user name: smtp://127.0.0.1:25?tls=none"
            )
        }
        let sender = from.flatMap(EmailAddress.init)
        if sender == nil {
            problems.append("SMTP_FROM is not an e-mail address; for example SMTP_FROM=atlas@example.com")
        }
        guard let relay, let sender else { return nil }
        return MailSettings(relay: relay, sender: sender, console: console)
    }

    /// `smtp[s]://[user@]host[:port][/][?tls=none]`
    private static func relay(_ url: String, _ password: ServiceKit.Secret?, _ authority: String?)
        -> MailRelay?
    {
        let scheme = String(url.prefix { $0 != ":" })
        var rest = url.dropFirst(scheme.count + 3)
        let isPlain = rest.hasSuffix(plainOption)
        if isPlain { rest = rest.dropLast(plainOption.count) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var user: String?
        if let at = rest.lastIndex(of: "@") {
            guard let name = decoded(rest[..<at]), !name.isEmpty, !rest[..<at].contains(":") else {
                return nil
            }
            user = name
            rest = rest[rest.index(after: at)...]
        }
        let parts = rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let host = parts.first, !host.isEmpty, host.utf8.allSatisfy(isHostByte),
            let port = parts.count == 2 ? Int(parts[1]) : ports[scheme], (1...65_535).contains(port),
            (user == nil) == (password == nil), !isPlain || scheme == "smtp" && user == nil
        else { return nil }
        var credentials: MailRelay.Credentials?
        if let user, let password {
            credentials = MailRelay.Credentials(user: user, password: password.reveal())
        }
        return MailRelay(
            host: String(host), port: port,
            security: isPlain ? .none : scheme == "smtps" ? .implicit : .startTLSRequired,
            credentials: credentials, trustedCAFile: authority)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46: true
        default: false
        }
    }

    /// Without percent-encoding: user names of relays often are addresses, «omar%40example.com».
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
