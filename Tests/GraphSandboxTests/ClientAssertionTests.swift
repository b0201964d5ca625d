import CredentialFixtures
import Crypto
import CryptoExtras
import Foundation
import JSON
import Testing

@testable import GraphSandbox

/// What the token endpoint takes in place of a secret, and what it does not.
@Suite struct ClientAssertionTests {
    private struct Parts {
        var header: JSONObject
        var claims: JSONObject
        var signer = SampleCertificate.shared
        var isPSS = true

        /// A good assertion for the tenant.
        init(_ server: RunningSandbox, tenant: String = RunningSandbox.contoso) {
            let now = Int(Date().timeIntervalSince1970)
            header = [
                "alg": "PS256", "typ": "JWT",
                "x5t#S256": .string(Base64URL.encode(SampleCertificate.shared.thumbprint)),
            ]
            claims = [
                "aud": .string("\(server.url)/\(tenant)/oauth2/v2.0/token"),
                "iss": .string(DefaultTenants.clientID), "sub": .string(DefaultTenants.clientID),
                "jti": .string(UUID().uuidString), "nbf": .int(now), "iat": .int(now), "exp": .int(now + 300),
            ]
        }

        func text() throws -> String {
            let signed =
                Base64URL.encode(JSON.object(header).bytes) + "."
                + Base64URL.encode(JSON.object(claims).bytes)
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: signer.privateKey)
            let signature = try key.signature(
                for: Data(signed.utf8), padding: isPSS ? .PSS : .insecurePKCS1v1_5)
            return signed + "." + Base64URL.encode(Array(signature.rawRepresentation))
        }
    }

    private static func form(_ assertion: String, type: String? = ClientAssertion.type) -> String {
        RunningSandbox.form([
            "client_secret": nil, "client_assertion": assertion, "client_assertion_type": type,
        ])
    }

    private func with(_ body: @escaping @Sendable (RunningSandbox) async throws -> Void) async throws {
        try await RunningSandbox.run { server in
            let registered = try await server.control(
                "PUT", "tenants/\(RunningSandbox.contoso)",
                ["app": ["certificates": [.string(SampleCertificate.shared.certificate)]]])
            #expect(registered.status == 200)
            #expect(try registered.json["app"]?["certificates"]?.array?.count == 1)
            try await body(server)
        }
    }

    @Test func aGoodOneBringsAToken() async throws {
        try await with { server in
            let good = try await server.requestToken(RunningSandbox.contoso, Self.form(Parts(server).text()))
            #expect(good.status == 200)
            let token = try #require(try good.json["access_token"]?.string)
            #expect(try await server.get("/v1.0/organization", token).status == 200)
        }
    }

    @Test func everyOtherIsRefused() async throws {
        try await with { server in
            let now = Int(Date().timeIntervalSince1970)
            let changes: [(String, Int, (inout Parts) -> Void)] = [
                ("another key", 700_027, { $0.signer = .other }),
                ("another algorithm", 700_027, { $0.isPSS = false }),
                ("none", 700_027, { $0.header["alg"] = "none" }),
                ("a shared key's algorithm", 700_027, { $0.header["alg"] = "HS256" }),
                ("no name", 700_027, { $0.header["x5t#S256"] = nil }),
                (
                    "another's name", 700_027,
                    { $0.header["x5t#S256"] = .string(Base64URL.encode(SampleCertificate.other.thumbprint)) }
                ),
                ("another audience", 700_027, { $0.claims["aud"] = "https://login.microsoftonline.com/x" }),
                (
                    "another tenant's endpoint", 700_027,
                    {
                        $0.claims["aud"] = .string(
                            "\(server.url)/\(RunningSandbox.fabrikam)/oauth2/v2.0/token")
                    }
                ),
                ("another issuer", 700_027, { $0.claims["iss"] = .string(UUID().uuidString) }),
                ("no id", 700_027, { $0.claims["jti"] = nil }),
                ("no end", 700_027, { $0.claims["exp"] = nil }),
                (
                    "the past", 700_024,
                    {
                        $0.claims["nbf"] = .int(now - 1_000)
                        $0.claims["exp"] = .int(now - 700)
                    }
                ),
                (
                    "the future", 700_024,
                    {
                        $0.claims["nbf"] = .int(now + 700)
                        $0.claims["exp"] = .int(now + 1_000)
                    }
                ),
                ("too long a life", 700_024, { $0.claims["exp"] = .int(now + 90_000) }),
            ]
            for (name, code, change) in changes {
                var parts = Parts(server)
                change(&parts)
                let reply = try await server.requestToken(RunningSandbox.contoso, Self.form(parts.text()))
                #expect(reply.status == 401, "\(name)")
                #expect(try reply.json["error_codes"] == [.int(code)], "\(name)")
            }
            let text = try Parts(server).text()
            for spoiled in [String(text.dropLast(5)), text + "A", "a.b.c", "", text.replacing(".", with: "")]
            {
                let reply = try await server.requestToken(RunningSandbox.contoso, Self.form(spoiled))
                #expect(reply.status == 401)
            }
            let untyped = try await server.requestToken(RunningSandbox.contoso, Self.form(text, type: "jwt"))
            #expect(try untyped.json["error_codes"] == [700_027])
            // The tenant next door has no certificate.
            let next = try await server.requestToken(
                RunningSandbox.fabrikam, Self.form(Parts(server, tenant: RunningSandbox.fabrikam).text()))
            #expect(try next.json["error_codes"] == [700_027])
        }
    }

    @Test func aCertificateWhoseTimeHasEndedIsRefused() async throws {
        try await RunningSandbox.run { server in
            let old = try SampleCertificate(from: -86_400 * 3, expires: -86_400)
            let registered = try await server.control(
                "PUT", "tenants/\(RunningSandbox.contoso)",
                ["app": ["certificates": [.string(old.certificate)]]])
            #expect(registered.status == 200)
            var parts = Parts(server)
            parts.signer = old
            parts.header["x5t#S256"] = .string(Base64URL.encode(old.thumbprint))
            let reply = try await server.requestToken(RunningSandbox.contoso, Self.form(parts.text()))
            #expect(try reply.json["error_codes"] == [700_027])
        }
    }

    @Test func onlyCertificatesWithRSAKeysAreRegistered() async throws {
        try await RunningSandbox.run { server in
            for text in ["", "x", SampleCertificate.shared.privateKey] {
                let reply = try await server.control(
                    "PUT", "tenants/\(RunningSandbox.contoso)", ["app": ["certificates": [.string(text)]]])
                #expect(reply.status == 400)
            }
        }
    }
}
