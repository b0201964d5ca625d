import JSON
import Testing

@testable import GraphSandbox

@Suite struct AccessTokenTests {
    private let signer = TokenSigner()

    private func token(roles: [String] = ["Organization.Read.All"]) -> AccessToken {
        AccessToken(
            audience: AccessToken.graphAudience, tenantID: "t", clientID: "c",
            principalID: GUID(high: 1, low: 2),
            roles: roles, issuedAt: 100, expiresAt: 200, serial: 0x0102_0304_0506_0708)
    }

    @Test func signedTokensAreReadBack() throws {
        let text = try signer.sign(token())
        #expect(signer.verify(text) == token())
        #expect(signer.verify(text) == token(), "and again, from memory")
    }

    @Test func rolesAreAbsentWhenThereAreNone() {
        #expect(token(roles: []).claims["roles"] == nil)
        #expect(token().claims["roles"] == ["Organization.Read.All"])
        #expect(token().claims["scp"] == nil)
        #expect(token().claims["idtyp"] == "app")
    }

    @Test func nothingElseIsAccepted() throws {
        let text = try signer.sign(token())
        let parts = text.split(separator: ".").map(String.init)
        var claims = try #require(token().claims.object)
        claims["roles"] = ["DeviceManagementConfiguration.ReadWrite.All"]
        let forged = Base64URL.encode(JSON.object(claims).bytes)
        let none = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
        let wrong = [
            "", ".", "..", "a.b.c", parts[0] + "." + parts[1], "\(parts[0]).\(forged).\(parts[2])",
            "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])", text + "A", "x" + text,
            String(text.dropLast(2)), "\(text).x",
        ]
        for text in wrong { #expect(signer.verify(text) == nil, "\(text)") }
        #expect(TokenSigner().verify(text) == nil, "another process's token")
    }

    @Test func thePublishedKeyIsAPoint() throws {
        let key = try #require(signer.keySet["keys"]?[0])
        #expect(key["kid"]?.string == signer.keyID)
        for name in ["x", "y"] { #expect(Base64URL.decode(key[name]?.string ?? "")?.count == 32) }
    }
}
