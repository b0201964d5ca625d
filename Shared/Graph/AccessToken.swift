internal import FoundationEssentials
internal import JSON
internal import Sealing

/// A bearer token for Graph. What prints it does not show it.
struct AccessToken: Sendable {
    /// Tells tokens apart without looking at them.
    let serial: UInt64
    let bearer: Secret
    /// From when on a new one is fetched instead.
    let refreshAt: ContinuousClock.Instant

    /// Whether it is to be used.
    func isFresh(at now: ContinuousClock.Instant) -> Bool { now < refreshAt }

    /// Reads the token endpoint's answer; nil when there is no token in it. `requestedAt` is when it was asked
    /// for: lifetimes count from then.
    init?(_ body: [UInt8], requestedAt: ContinuousClock.Instant, serial: UInt64) {
        guard let json = try? JSON(parsing: body), let text = json["access_token"]?.string, !text.isEmpty,
            text.utf8.count <= Self.longest, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let lifetime = json["expires_in"]?.double ?? json["expires_in"]?.string.flatMap(Double.init),
            lifetime > 0
        else { return nil }
        self.serial = serial
        bearer = Secret(Array(text.utf8))
        refreshAt = requestedAt + .seconds(Self.useSeconds(lifetime: lifetime))
    }

    /// The longest token that is accepted, in bytes.
    private static let longest = 32 * 1_024

    /// How long a token of that lifetime is used, in seconds: until 5 minutes before its end, and a
    /// short-lived one for four fifths of its life.
    static func useSeconds(lifetime: Double) -> Double {
        let lifetime = min(lifetime, 172_800)
        return max(lifetime - 300, lifetime * 0.8)
    }
}

/// What a token says about itself, read without checking its signature: a hint for people and for the
/// connection check, never a reason to allow anything.
package struct TokenClaims: Sendable, Hashable {
    /// The directory that issued it.
    package let tenantID: String?
    /// The application it was issued to.
    package let clientID: String?
    /// The application permissions in it; empty when there are none.
    package let roles: Set<String>

    /// Nil when the token is not a readable JWT, which Microsoft may decide at any time.
    init?(_ bearer: Secret) {
        let payload = bearer.reveal { bytes -> JSON? in
            let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard parts.count == 3, let data = Self.base64URL(parts[1]) else { return nil }
            return try? JSON(parsing: [UInt8](data))
        }
        guard let payload, payload.object != nil else { return nil }
        tenantID = payload["tid"]?.string
        clientID = payload["appid"]?.string
        roles = Set(payload["roles"]?.array?.compactMap(\.string) ?? [])
    }

    private static func base64URL(_ bytes: ArraySlice<UInt8>) -> Data? {
        var text = bytes.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(text))
    }
}
