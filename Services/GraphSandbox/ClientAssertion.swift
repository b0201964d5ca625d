import JSON

/// A JWT with which an app proves itself in place of a secret (RFC 7523), taken apart and not believed yet.
struct ClientAssertion {
    /// What `client_assertion_type` must say.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// How far a caller's clock may be off, in seconds.
    private static let skew: Int64 = 300
    /// The longest lifetime that Entra accepts, in seconds.
    private static let longestLife: Int64 = 86_400

    let audience: String
    let clientID: String
    private let thumbprint: String
    private let isPSS: Bool
    private let notBefore: Int64
    private let expires: Int64
    private let signed: [UInt8]
    private let signature: [UInt8]

    /// Nil for a text that is no such token, or lacks what Entra asks for. It is named by `x5t#S256` with `PS256`, or in
    /// the older form by `x5t` with `RS256`.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]),
            let signature = Base64URL.decode(parts[2]),
            let audience = claims["aud"]?.string, let issuer = claims["iss"]?.string,
            issuer == claims["sub"]?.string, claims["jti"]?.string?.isEmpty == false,
            // Microsoft's own library sends fractions of a second, and leaves `nbf` out.
            let notBefore = Self.seconds(claims["nbf"] ?? claims["iat"]),
            let expires = Self.seconds(claims["exp"])
        else { return nil }
        switch (header["alg"]?.string, header["x5t#S256"]?.string, header["x5t"]?.string) {
        case ("PS256", let name?, _): (isPSS, thumbprint) = (true, name)
        case ("RS256", _, let name?): (isPSS, thumbprint) = (false, name)
        default: return nil
        }
        self.audience = audience
        clientID = issuer.lowercased()
        self.notBefore = notBefore
        self.expires = expires
        signed = Array("\(parts[0]).\(parts[1])".utf8)
        self.signature = signature
    }

    /// Seconds since 1970, up to the year 9999.
    private static func seconds(_ value: JSON?) -> Int64? {
        guard let number = value?.double, (0...253_402_300_799).contains(number) else { return nil }
        return Int64(number)
    }

    private static func json(_ part: Substring) -> JSON? {
        Base64URL.decode(part).flatMap { try? JSON(parsing: $0) }
    }

    /// Whether it says that it was signed with this certificate's key. Microsoft's own library pads the name, which Entra
    /// does not mind.
    func names(_ certificate: RegisteredCertificate) -> Bool {
        thumbprint.prefix { $0 != "=" } == (isPSS ? certificate.thumbprint : certificate.oldThumbprint)
    }

    /// Whether it was.
    func isSigned(with certificate: RegisteredCertificate) -> Bool {
        certificate.verifies(signature, of: signed, isPSS: isPSS)
    }

    /// Whether it is within its time; `now` in seconds since 1970.
    func isNow(_ now: Int64) -> Bool {
        notBefore <= now + Self.skew && now < expires + Self.skew && expires - notBefore <= Self.longestLife
    }
}
