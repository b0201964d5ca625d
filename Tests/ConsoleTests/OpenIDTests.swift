import FoundationEssentials
import JSON
import ServiceKit
import Testing

@testable import Console

/// What is taken as proof of who somebody is at the identity provider.
struct OpenIDTests {
    private static let now = Date(timeIntervalSince1970: 1_795_000_000)
    private static let good: JSON = [
        "iss": "https://login.test", "aud": "console", "exp": 1_795_000_100, "nonce": "n", "sub": "s",
    ]

    private func read(_ claims: JSON) throws(OpenIDToken.Refusal) -> String {
        let text = "e30." + Base64URL.encode(claims.bytes) + ".c2ln"
        return try OpenIDToken(
            text, issuer: "https://login.test", clientID: "console", nonce: "n", now: Self.now
        ).subject
    }

    private func with(_ changes: [(String, JSON?)]) -> JSON {
        var object = Self.good.object!
        for (name, value) in changes { object[name] = value }
        return .object(object)
    }

    @Test func aTokenForUsIsTaken() throws {
        #expect(try read(Self.good) == "s")
        #expect(try read(with([("aud", ["console"])])) == "s")
        #expect(try read(with([("aud", ["other", "console"]), ("azp", "console")])) == "s")
        // Entra ID: the object id is who somebody is.
        #expect(try read(with([("tid", "t"), ("oid", "o")])) == "o")
        #expect(try read(with([("oid", "o")])) == "s")
        // Clocks may be a minute apart.
        #expect(try read(with([("exp", 1_794_999_950)])) == "s")
    }

    @Test(
        arguments: [
            ([("iss", "https://evil.test")], OpenIDToken.Refusal.otherIssuer), ([("iss", nil)], .otherIssuer),
            ([("aud", "other")], .otherAudience), ([("aud", nil)], .otherAudience),
            ([("aud", [])], .otherAudience),
            ([("aud", ["console", "other"])], .otherAudience),
            ([("aud", ["console", "other"]), ("azp", "other")], .otherAudience),
            ([("azp", "other")], .otherAudience),
            ([("exp", 1_794_999_900)], .expired), ([("exp", nil)], .expired), ([("exp", "never")], .expired),
            ([("nonce", "m")], .otherSignIn), ([("nonce", nil)], .otherSignIn), ([("sub", nil)], .nobody),
            ([("sub", "")], .nobody), ([("sub", 1)], .nobody),
        ] as [([(String, JSON?)], OpenIDToken.Refusal)])
    func everythingElseIsNot(changes: [(String, JSON?)], refusal: OpenIDToken.Refusal) {
        #expect(throws: refusal) { try read(with(changes)) }
    }

    @Test(arguments: ["", "a.b", "a.b.c.d", "e30.!!.x", "e30.W10.x"])
    func whatIsNoTokenIsNone(text: String) {
        #expect(throws: OpenIDToken.Refusal.unreadable) {
            try OpenIDToken(text, issuer: "i", clientID: "c", nonce: "n", now: Self.now)
        }
    }

    @Test func aFlowComesBackToItsBrowserOnly() throws {
        let flow = OpenIDFlow(back: "/admin/operations?q=a%20b")
        let kept = try #require(OpenIDFlow(cookie: flow.cookie))
        #expect(kept.back == flow.back && kept.state == flow.state && kept.verifier == flow.verifier)
        let other = OpenIDFlow(back: "/admin")
        #expect(
            Set([flow.state, flow.nonce, flow.verifier, flow.challenge, other.state, other.nonce]).count == 6)
        // The verifier has the length that RFC 7636 asks for, and no part of it travels beforehand.
        #expect((43...128).contains(flow.verifier.count) && !flow.cookie.contains(flow.state))
        for text in ["", ".", "a.b", flow.cookie + "A", "\(flow.cookie.split(separator: ".")[0]).Ly9ldmls"] {
            #expect(OpenIDFlow(cookie: text) == nil, "\(text)")
        }
    }

    @Test func aProviderWithoutTLSIsRefused() {
        func problems(_ settings: [String: String]) -> [String] {
            var all = [
                "DATABASE_URL": "postgres://a@b/c", "STARTER_URL": "http://starter:1",
                "CONSOLE_URL": "https://console.test",
            ]
            all.merge(settings) { $1 }
            do {
                _ = try ConsoleSettings(Configuration(environment: all))
                return []
            } catch {
                return error.problems
            }
        }
        #expect(problems([:]).isEmpty)
        let provider = ["OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"]
        #expect(problems(provider.merging(["OIDC_ISSUER": "https://login.test"]) { $1 }).isEmpty)
        #expect(
            problems(provider.merging(["OIDC_ISSUER": "http://login.test"]) { $1 })[0].contains("https"))
        #expect(problems(["OIDC_ISSUER": "https://login.test"]).count == 2)
        #expect(problems(["PASSWORD_SIGN_IN": "false"])[0].contains("nobody could sign in"))
    }
}
