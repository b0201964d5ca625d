/// Where the broker is, who logs in, and how TLS is checked.
///
/// `amqp://user:password@host:port/virtual-host?heartbeat=10`, or `amqps://…?cacertfile=/path/ca.pem`.
/// Parts are percent-encoded. Left out, user and password are `guest`, the port is 5672 (5671 with TLS) and
/// the virtual host is `/`. With `amqps` the peer's certificate and the host's name are always checked,
/// which needs a name, not a number, as host; without `cacertfile` the system's authorities are trusted.
package struct BrokerAddress: Sendable, Equatable {
    package let host: String
    package let port: Int
    package let virtualHost: String
    package let user: String
    package let usesTLS: Bool
    /// Seconds of silence after which each side sends a sign of life; 2 … 600. A peer that is silent for
    /// two of them is given up.
    package let heartbeatSeconds: Int

    let password: String
    /// A PEM file with the trusted authorities.
    let authoritiesFile: String

    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    /// Throws ``AMQPError`` with code `.invalidAddress`, which says what is wrong and never quotes the URL.
    package init(url: String) throws(AMQPError) {
        let rest: Substring
        if let found = url.droppingPrefix("amqp://") {
            (rest, usesTLS) = (found, false)
        } else if let found = url.droppingPrefix("amqps://") {
            (rest, usesTLS) = (found, true)
        } else {
            throw Self.invalid("it must begin with amqp:// or amqps://")
        }
        let (beforeQuery, query) = rest.splitOnce("?")
        let (authority, path) = beforeQuery.splitOnce("/")
        let (login, place) = Self.split(authority: authority)

        (user, password) = try Self.credentials(login)
        (host, port) = try Self.place(place, defaultPort: usesTLS ? 5671 : 5672)
        let virtualHost = try Self.decode(path ?? "", "the virtual host")
        self.virtualHost = virtualHost.isEmpty ? "/" : virtualHost
        (heartbeatSeconds, authoritiesFile) = try Self.options(query, usesTLS: usesTLS)
    }

    private static func split(authority: Substring) -> (login: Substring?, place: Substring) {
        guard let at = authority.lastIndex(of: "@") else { return (nil, authority) }
        return (authority[..<at], authority[authority.index(after: at)...])
    }

    private static func credentials(_ login: Substring?) throws(AMQPError) -> (String, String) {
        guard let login else { return ("guest", "guest") }
        let (user, password) = login.splitOnce(":")
        guard let password else { throw invalid("the user has no password") }
        return (try decode(user, "the user"), try decode(password, "the password"))
    }

    private static func place(
        _ place: Substring, defaultPort: Int
    ) throws(AMQPError) -> (host: String, port: Int) {
        var (host, port) = place.splitOnce(":")
        if place.first == "[" {
            guard let end = place.firstIndex(of: "]") else { throw invalid("a [ is not closed") }
            host = place[place.index(after: place.startIndex)..<end]
            port = place[end...].splitOnce(":").1
        }
        let name = try decode(host, "the host")
        guard !name.isEmpty else { throw invalid("the host is missing") }
        guard let port else { return (name, defaultPort) }
        guard let number = Int(port), 1...65_535 ~= number else { throw invalid("the port is no port") }
        return (name, number)
    }

    private static func options(
        _ query: Substring?, usesTLS: Bool
    ) throws(AMQPError) -> (heartbeat: Int, authorities: String) {
        var heartbeat = 10
        var authorities = systemAuthorities
        for option in query?.split(separator: "&") ?? [] {
            let (name, value) = option.splitOnce("=")
            switch name {
            case "heartbeat":
                guard let seconds = value.flatMap({ Int($0) }), 2...600 ~= seconds else {
                    throw invalid("heartbeat must be 2 to 600 seconds")
                }
                heartbeat = seconds
            case "cacertfile":
                guard usesTLS else { throw invalid("cacertfile needs amqps://") }
                authorities = try decode(value ?? "", "cacertfile")
                guard !authorities.isEmpty else { throw invalid("cacertfile is empty") }
            default:
                // An option that is silently ignored could be one that was meant to make things safe.
                throw invalid("the options are heartbeat and cacertfile")
            }
        }
        return (heartbeat, authorities)
    }

    private static func decode(_ text: Substring, _ what: String) throws(AMQPError) -> String {
        guard let decoded = text.percentDecoded else { throw invalid("\(what) is not percent-encoded") }
        // The C library would read only as far as the NUL.
        guard !decoded.utf8.contains(0) else { throw invalid("\(what) has a NUL in it") }
        return decoded
    }

    private static func invalid(_ reason: String) -> AMQPError {
        AMQPError(.invalidAddress, "the AMQP URL can't be used: \(reason)")
    }
}

extension BrokerAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL without password and options.
    package var description: String {
        "\(usesTLS ? "amqps" : "amqp")://\(user)@\(host):\(port)/\(virtualHost == "/" ? "" : virtualHost)"
    }

    package var debugDescription: String { description }

    /// Keeps the password out of `dump` and of descriptions of what holds an address.
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

extension StringProtocol where SubSequence == Substring {
    fileprivate func droppingPrefix(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }

    /// The text before and after the first `separator`; no second part when there is none.
    fileprivate func splitOnce(_ separator: Character) -> (Substring, Substring?) {
        guard let index = firstIndex(of: separator) else { return (self[...], nil) }
        return (self[..<index], self[self.index(after: index)...])
    }

    /// `nil` when a % is not followed by two hexadecimal digits, or the result is no UTF-8.
    fileprivate var percentDecoded: String? {
        var bytes: [UInt8] = []
        var rest = utf8.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(Self.hexDigit), let low = rest.next().flatMap(Self.hexDigit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
