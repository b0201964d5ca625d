import FoundationEssentials
import JSON
import ServiceKit

/// What an ID token says, once it is known to be for us, now, and for this sign-in.
///
/// Its signature is not looked at: the token comes by TLS straight from the provider's token endpoint, whose certificate is
/// checked, which OpenID Connect Core 1.0 (section 3.1.3.7, 6) takes as proof of who made it. Nothing that came through
/// the browser is read as a token.
struct OpenIDToken: Sendable, Equatable {
    /// Why a token is not taken.
    enum Refusal: Error, Equatable {
        case unreadable, otherIssuer, otherAudience, expired, otherSignIn, nobody
    }

    /// How far the clocks may be apart, in seconds.
    private static let tolerance = 60.0

    /// Who it is, for good: the directory's object id where there is one (Entra ID; its `sub` is another in each
    /// application, and no administrator sees it), else the subject.
    let subject: String

    /// Reads the token of a token endpoint's answer, with the checks of OpenID Connect Core 1.0, section 3.1.3.7.
    init(
        _ text: String, issuer: String, clientID: String, nonce: String, now: Date
    ) throws(Refusal) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64URL.decode(String(parts[1])),
            let claims = try? JSON(parsing: bytes), claims.object != nil
        else { throw .unreadable }
        guard claims["iss"]?.string == issuer else { throw .otherIssuer }
        let audience =
            claims["aud"]?.array?.compactMap(\.string) ?? [claims["aud"]?.string].compactMap(\.self)
        guard audience.contains(clientID) else { throw .otherAudience }
        if audience.count > 1 || claims["azp"] != nil {
            guard claims["azp"]?.string == clientID else { throw .otherAudience }
        }
        guard let expiry = claims["exp"]?.double, expiry + Self.tolerance > now.timeIntervalSince1970 else {
            throw .expired
        }
        guard claims["nonce"]?.string == nonce else { throw .otherSignIn }
        let isOfDirectory = claims["tid"]?.string != nil
        guard let subject = (isOfDirectory ? claims["oid"]?.string : nil) ?? claims["sub"]?.string,
            (1...255).contains(subject.count)
        else { throw .nobody }
        self.subject = subject
    }
}
