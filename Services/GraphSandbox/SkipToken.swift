/// The position in a list that a nextLink carries. Opaque to clients, and only good for the list that issued
/// it: same tenant, same path, same filter.
struct SkipToken: Sendable, Hashable {
    /// The list's own notion of where it stopped.
    let position: UInt64

    /// What a token belongs to.
    struct Scope: Sendable {
        let seed: UInt64
        let tenant: String
        /// The listed collection.
        let list: String
        let filter: String?

        fileprivate func check(_ position: UInt64) -> UInt64 {
            Draws(seed: seed, text: "\(tenant)|\(list)|\(filter ?? "")|\(position)").key
        }
    }

    /// The text in the nextLink, percent-encoded as a query value. It always holds something that needs
    /// encoding.
    func encoded(_ scope: Scope, form: NextLinkForm?) -> String {
        let payload = Base64URL.encode(Self.bytes(position) + Self.bytes(scope.check(position)))
        guard form == .doubleEncoded else { return PercentCoding.encode("s1:\(payload)") }
        return PercentCoding.encode(PercentCoding.encode("s2:\(payload)"))
    }

    /// Reads the decoded query value. Nil when it is broken, of another list, or lost a layer of its
    /// encoding.
    init?(_ text: String, _ scope: Scope) {
        let prefix = ["s1:", "s2%3A"].first { text.hasPrefix($0) }
        guard let prefix, let bytes = Base64URL.decode(text.dropFirst(prefix.count)), bytes.count == 16 else {
            return nil
        }
        position = Self.number(bytes[..<8])
        guard Self.number(bytes[8...]) == scope.check(position) else { return nil }
    }

    init(position: UInt64) { self.position = position }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension IncomingCall {
    /// The URL of the page behind this one: the same host, path and options, byte for byte, and the token.
    func nextLink(_ token: SkipToken, _ scope: SkipToken.Scope, form: NextLinkForm?) -> String {
        let rest = query.options.isEmpty ? "" : query.raw(without: "$skiptoken")
        let origin =
            switch form {
            case .foreignHost: "https://graph.example.net"
            case .upperCaseHost: upperCaseBase
            case .doubleEncoded, nil: base
            }
        return
            "\(origin)\(path)?\(rest)\(rest.isEmpty ? "" : "&")$skiptoken=\(token.encoded(scope, form: form))"
    }

    private var upperCaseBase: String {
        let parts = base.split(separator: "://", maxSplits: 1)
        return "\(parts[0])://\(parts[1].uppercased())"
    }
}
