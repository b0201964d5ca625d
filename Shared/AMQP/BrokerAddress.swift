/// Where the broker is, who logs in, and how TLS is checked.
///
/// `amqp://user:password@host:port/virtual-host?heartbeat=10`, or `amqps://…?cacertfile=/path/ca.pem`. The nodes of
/// a cluster are a list, `amqp://user:password@one,two,three:5673/`: each is as good as another, and the next one is
/// tried when one does not answer.
/// Parts are percent-encoded. Left out, user and password are `guest`, the port is 5672 (5671 with TLS) and
/// the virtual host is `/`. With `amqps` the peer's certificate and the host's name are always checked,
/// which needs a name, not a number, as host; without `cacertfile` the system's authorities are trusted.
/// With `declare=false` exchanges and queues are looked for and never made: for a user without the right to.
package struct BrokerAddress: Sendable, Equatable {
    /// One broker, or one node of a cluster.
    package struct Node: Sendable, Equatable {
        package let host: String
        package let port: Int
    }

    /// The most nodes of one address.
    private static let nodeLimit = 16

    /// At least one.
    package let nodes: [Node]
    package let virtualHost: String
    package let user: String
    package let usesTLS: Bool
    /// Seconds of silence after which each side sends a sign of life; 2 … 600. A peer that is silent for
    /// two of them is given up.
    package let heartbeatSeconds: Int
    /// Whether what is missing at the broker is declared. Else it has to be there.
    package let declares: Bool
    /// Never log it.
    package let password: String

    /// A PEM file with the trusted authorities.
    let authoritiesFile: String

    private static let refusal = "the AMQP URL can't be used: "
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
        nodes = try Self.nodes(place, defaultPort: usesTLS ? 5671 : 5672)
        let virtualHost = try Self.decode(path ?? "", "the virtual host")
        self.virtualHost = virtualHost.isEmpty ? "/" : virtualHost
        (heartbeatSeconds, authoritiesFile, declares) = try Self.options(query, usesTLS: usesTLS)
    }

    /// What is wrong with a URL; `nil` when it can be used. It never quotes the URL.
    package static func problem(of url: String) -> String? {
        do throws(AMQPError) {
            _ = try BrokerAddress(url: url)
            return nil
        } catch {
            return String(error.message.dropFirst(refusal.count))
        }
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

    private static func nodes(_ places: Substring, defaultPort: Int) throws(AMQPError) -> [Node] {
        let places = places.split(separator: ",", omittingEmptySubsequences: false)
        guard places.count <= nodeLimit else { throw invalid("it names more than \(nodeLimit) hosts") }
        var nodes: [Node] = []
        for place in places {
            let node = try node(place, defaultPort: defaultPort)
            guard !nodes.contains(node) else { throw invalid("it names a host twice") }
            nodes.append(node)
        }
        return nodes
    }

    private static func node(_ place: Substring, defaultPort: Int) throws(AMQPError) -> Node {
        var (host, port) = place.splitOnce(":")
        if place.first == "[" {
            guard let end = place.firstIndex(of: "]") else { throw invalid("a [ is not closed") }
            host = place[place.index(after: place.startIndex)..<end]
            port = place[end...].splitOnce(":").1
        }
        let name = try decode(host, "the host")
        guard !name.isEmpty else { throw invalid("a host is missing") }
        guard let port else { return Node(host: name, port: defaultPort) }
        guard let number = Int(port), 1...65_535 ~= number else { throw invalid("a port is no port") }
        return Node(host: name, port: number)
    }

    private static func options(
        _ query: Substring?, usesTLS: Bool
    ) throws(AMQPError) -> (heartbeat: Int, authorities: String, declares: Bool) {
        var heartbeat = 10
        var declares = true
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
            case "declare":
                guard let value, ["true", "false"].contains(value) else {
                    throw invalid("declare must be true or false")
                }
                declares = value == "true"
            default:
                // An option that is silently ignored could be one that was meant to make things safe.
                throw invalid("the options are heartbeat, cacertfile and declare")
            }
        }
        return (heartbeat, authorities, declares)
    }

    private static func decode(_ text: Substring, _ what: String) throws(AMQPError) -> String {
        guard let decoded = text.percentDecoded else { throw invalid("\(what) is not percent-encoded") }
        // The C library would read only as far as the NUL.
        guard !decoded.utf8.contains(0) else { throw invalid("\(what) has a NUL in it") }
        return decoded
    }

    private static func invalid(_ reason: String) -> AMQPError {
        AMQPError(.invalidAddress, refusal + reason)
    }
}

extension BrokerAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The URL without password and options.
    package var description: String { description(of: nodes) }

    /// The same, with these nodes only.
    func description(of nodes: [Node]) -> String {
        let places = nodes.map { "\($0.host):\($0.port)" }.joined(separator: ",")
        return "\(usesTLS ? "amqps" : "amqp")://\(user)@\(places)/\(virtualHost == "/" ? "" : virtualHost)"
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
