import JSON

/// The claims of an app-only Graph token (v1 format, as Entra issues it at the v2 endpoint, too).
struct AccessToken: Sendable, Hashable {
    /// Microsoft Graph's own application id.
    static let graphAppID = "00000003-0000-0000-c000-000000000000"
    static let graphAudience = "https://graph.microsoft.com"

    let audience: String
    let tenantID: String
    let clientID: String
    /// The object id of the app's service principal in the tenant.
    let principalID: GUID
    /// The granted application permissions; the claim is absent when there are none.
    let roles: [String]
    /// Seconds since 1970.
    let issuedAt: Int64
    let expiresAt: Int64
    /// Whether the app proved itself with a certificate.
    var isByCertificate = false
    /// Counts the tokens of this process, so that all tokens up to one can be revoked. Travels in `uti`.
    let serial: UInt64

    /// The claims as JSON.
    var claims: JSON {
        var claims: JSONObject = [
            "aud": .string(audience), "iss": .string("https://sts.windows.net/\(tenantID)/"),
            "iat": .integer(issuedAt), "nbf": .integer(issuedAt), "exp": .integer(expiresAt),
            "app_displayname": "TenantAtlas", "appid": .string(clientID),
            "appidacr": isByCertificate ? "2" : "1", "idtyp": "app",
            "oid": .string(principalID.description), "sub": .string(principalID.description),
            "tid": .string(tenantID), "uti": .string(uniqueID), "ver": "1.0",
        ]
        if !roles.isEmpty { claims["roles"] = .array(roles.map(JSON.string)) }
        return .object(claims)
    }

    private var uniqueID: String {
        Base64URL.encode((0..<8).map { UInt8(truncatingIfNeeded: serial >> UInt64(56 - 8 * $0)) })
    }
}

extension AccessToken {
    /// Reads the claims of a token whose signature was verified; nil when one is missing.
    init?(claims: JSON) {
        guard let audience = claims["aud"]?.string, let tenantID = claims["tid"]?.string,
            let clientID = claims["appid"]?.string,
            let principalID = claims["oid"]?.string.flatMap({ GUID($0) }),
            let issuedAt = claims["iat"]?.integer, let expiresAt = claims["exp"]?.integer,
            let serial = claims["uti"]?.string.flatMap({ Base64URL.decode($0) })
        else { return nil }
        self.init(
            audience: audience, tenantID: tenantID, clientID: clientID, principalID: principalID,
            roles: claims["roles"]?.array?.compactMap(\.string) ?? [], issuedAt: Int64(issuedAt),
            expiresAt: Int64(expiresAt), isByCertificate: claims["appidacr"]?.string == "2",
            serial: serial.reduce(0) { $0 << 8 | UInt64($1) })
    }
}
