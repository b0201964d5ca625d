import FoundationEssentials
import JSON
import Sealing
import Testing

@testable import Graph

/// Tokens as the endpoint answers them.
enum TokenSample {
    static func body(_ claims: JSON, lifetime: JSON = 3_599) -> [UInt8] {
        let parts = [JSON.object(["alg": "none"]), claims].map { json in
            Data(json.bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
        }
        let answer: JSON = [
            "token_type": "Bearer", "expires_in": lifetime,
            "access_token": .string(parts.joined(separator: ".") + ".c2ln"),
        ]
        return answer.bytes
    }

    static func token(lifetime: JSON = 3_599, serial: UInt64 = 1) -> AccessToken? {
        AccessToken(body([:], lifetime: lifetime), requestedAt: .now, serial: serial)
    }
}

@Suite struct AccessTokenTests {
    static let lifetimes: [(Double, Double)] = [
        (3_599, 3_299), (86_400, 86_100), (1_500, 1_200), (600, 480), (10, 8), (1, 0.8), (1e12, 172_500),
    ]

    @Test(arguments: lifetimes) func useEndsBeforeLifeDoes(_ lifetime: Double, _ expected: Double) {
        #expect(AccessToken.useSeconds(lifetime: lifetime) == expected)
    }

    @Test func countsFromTheRequest() throws {
        let start = ContinuousClock.now
        let token = try #require(AccessToken(TokenSample.body([:]), requestedAt: start, serial: 1))
        #expect(token.refreshAt == start + .seconds(3_299))
        #expect(token.isFresh(at: start + .seconds(3_298)))
        #expect(!token.isFresh(at: start + .seconds(3_299)))
    }

    static let unusable = [
        "", "<html>", "{}", "{\"access_token\":\"abc\"}", "{\"access_token\":\"\",\"expires_in\":10}",
        "{\"access_token\":\"abc\",\"expires_in\":0}", "{\"access_token\":\"abc\",\"expires_in\":-5}",
        "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":10}", "{\"access_token\":7,\"expires_in\":10}",
        "{\"access_token\":\"a b\",\"expires_in\":10}", "{\"access_token\":\"abc\",\"expires_in\":\"soon\"}",
    ]

    @Test(arguments: unusable) func whatIsNoToken(_ body: String) {
        #expect(AccessToken(Array(body.utf8), requestedAt: .now, serial: 1) == nil)
    }

    @Test func aLifetimeMayBeText() {
        #expect(TokenSample.token(lifetime: "3599") != nil)
    }

    @Test func tokensDontPrint() throws {
        let token = try #require(TokenSample.token())
        let text = token.bearer.reveal { String(decoding: $0, as: UTF8.self) }
        var dumped = ""
        dump(token, to: &dumped)
        for print in ["\(token)", String(reflecting: token), dumped] { #expect(!print.contains(text)) }
    }
}

@Suite struct TokenClaimsTests {
    private func claims(_ json: JSON) throws -> TokenClaims? {
        let token = try #require(AccessToken(TokenSample.body(json), requestedAt: .now, serial: 1))
        return TokenClaims(token.bearer)
    }

    @Test func readsTheHint() throws {
        let read = try claims(["tid": "T", "appid": "A", "roles": ["R1", "R2", 3]])
        #expect(read?.tenantID == "T")
        #expect(read?.clientID == "A")
        #expect(read?.roles == ["R1", "R2"])
        #expect(try claims(["tid": "T"])?.roles == [])
        #expect(try claims(["x": "\u{3b1}~~??>>"])?.tenantID == nil)
    }

    @Test(arguments: ["opaque", "a.b", "a.b.c.d", "a.!!!.c", "a.e30x.c", ""]) func opaqueTokens(
        _ text: String
    ) {
        #expect(TokenClaims(Secret(Array(text.utf8))) == nil)
    }
}
