import JSON
import Testing

@testable import GraphSandbox

@Suite struct TokenEndpointTests {
    @Test func issuesTokensThatGraphAccepts() async throws {
        try await RunningSandbox.run { server in
            let reply = try await server.requestToken()
            #expect(reply.status == 200)
            #expect(reply["Cache-Control"]?.contains("no-store") == true)
            let body = try reply.json
            #expect(body["token_type"] == "Bearer")
            #expect(body["expires_in"] == 3_599)
            #expect(body.object?.keys == ["token_type", "expires_in", "ext_expires_in", "access_token"])
            let token = try #require(body["access_token"]?.string)
            let claims = try JSON(
                parsing: try #require(Base64URL.decode(token.split(separator: ".")[1])))
            #expect(claims["tid"]?.string == RunningSandbox.contoso)
            #expect(claims["appid"]?.string == DefaultTenants.clientID)
            #expect(claims["aud"] == "https://graph.microsoft.com")
            #expect(claims["roles"]?.array?.count == AppRole.readers.count)
            #expect(try await server.get("/v1.0/organization", token).status == 200)
        }
    }

    @Test func acceptsTheDomainAndOtherNamesOfGraph() async throws {
        try await RunningSandbox.run { (server) async throws in
            #expect(try await server.requestToken("CONTOSO.onmicrosoft.com").status == 200)
            #expect(try await server.requestToken(RunningSandbox.contoso.uppercased()).status == 200)
            for scope in ["00000003-0000-0000-c000-000000000000/.default", "\(server.url)/.default"] {
                #expect(
                    try await server.requestToken(
                        RunningSandbox.contoso, RunningSandbox.form(["scope": scope])
                    ).status == 200)
            }
        }
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let code: Int
        let status: Int
        let error: String
        var tenant = RunningSandbox.contoso
        var changes: [String: String?] = [:]
        var testDescription: String { "\(code)" }
    }

    private static let other = "dddddddd-0000-4000-8000-000000000001"

    static let refusals = [
        Refused(code: 7_000_215, status: 401, error: "invalid_client", changes: ["client_secret": "wrong"]),
        Refused(
            code: 7_000_216, status: 401, error: "invalid_client", changes: ["client_secret": nil]),
        Refused(
            code: 700_027, status: 401, error: "invalid_client",
            changes: ["client_secret": nil, "client_assertion": "a.b.c"]),
        Refused(code: 700_016, status: 400, error: "unauthorized_client", changes: ["client_id": other]),
        Refused(code: 90_002, status: 400, error: "invalid_request", tenant: other),
        Refused(code: 90_002, status: 400, error: "invalid_request", tenant: "nobody.example"),
        Refused(code: 900_023, status: 400, error: "invalid_request", tenant: "nonsense"),
        Refused(code: 50_059, status: 400, error: "invalid_request", tenant: "common"),
        Refused(code: 900_144, status: 400, error: "invalid_request", changes: ["scope": nil]),
        Refused(code: 900_144, status: 400, error: "invalid_request", changes: ["grant_type": nil]),
        Refused(code: 900_144, status: 400, error: "invalid_request", changes: ["client_id": nil]),
        Refused(
            code: 1_002_012, status: 400, error: "invalid_scope",
            changes: ["scope": "https://graph.microsoft.com/User.Read"]),
        Refused(
            code: 1_002_012, status: 400, error: "invalid_scope",
            changes: ["scope": "https%3A%2F%2Fgraph.microsoft.com%2F.default"]),
        Refused(
            code: 500_011, status: 400, error: "invalid_resource",
            changes: ["scope": "https://graph.microsoft.us/.default"]),
        Refused(
            code: 70_003, status: 400, error: "unsupported_grant_type", changes: ["grant_type": "password"]),
    ]

    @Test func refusesWithTheDocumentedBodies() async throws {
        try await RunningSandbox.run { server in
            for refused in Self.refusals {
                let id = "0f0f0f0f-0000-4000-8000-000000000001"
                let reply = try await server.requestToken(
                    refused.tenant, RunningSandbox.form(refused.changes), headers: ["client-request-id": id])
                let body = try reply.json
                #expect(reply.status == refused.status, "\(refused.code)")
                #expect(body["error"]?.string == refused.error, "\(refused.code)")
                #expect(body["error_codes"] == [.int(refused.code)])
                let description = try #require(body["error_description"]?.string)
                #expect(description.hasPrefix("AADSTS\(refused.code): "))
                #expect(description.contains("Trace ID: ") && description.contains("Correlation ID: \(id)"))
                #expect(body["correlation_id"]?.string == id)
                #expect(body["timestamp"]?.string?.contains(" ") == true)
                #expect(!description.contains(DefaultTenants.clientSecret))
            }
        }
    }

    @Test func namesAMissingServicePrincipal() async throws {
        let app = AppRegistration(clientID: Self.other, clientSecret: "other-secret", roles: [])
        let tenant = Tenant(
            id: Self.other, displayName: "Other", domain: "other.example", intune: true, app: app,
            deviceSeed: "x", roster: DeviceRoster(count: 0))
        try await RunningSandbox.run(tenants: DefaultTenants.make() + [tenant]) { server in
            let reply = try await server.requestToken(
                RunningSandbox.contoso, RunningSandbox.form(["client_id": Self.other]))
            #expect(try reply.json["error_codes"] == [7_000_229])
        }
    }

    @Test func refusesOtherMethodsAndBodies() async throws {
        try await RunningSandbox.run { server in
            let path = "/\(RunningSandbox.contoso)/oauth2/v2.0/token"
            #expect(try await server.send("GET", path).status == 405)
            let json = try await server.send(
                "POST", path, headers: ["Content-Type": "application/json"], body: "{}")
            #expect(json.status == 400)
            let large = String(repeating: "x", count: TokenEndpoint.bodyLimit + 1)
            #expect(try await server.requestToken(RunningSandbox.contoso, large).status == 413)
        }
    }

    @Test func describesItself() async throws {
        try await RunningSandbox.run { server in
            let reply = try await server.send(
                "GET", "/\(RunningSandbox.contoso)/v2.0/.well-known/openid-configuration",
                headers: ["X-Forwarded-Proto": "https", "X-Forwarded-Host": "login.example:8443"])
            let body = try reply.json
            let root = "https://login.example:8443/\(RunningSandbox.contoso)"
            #expect(body["token_endpoint"]?.string == "\(root)/oauth2/v2.0/token")
            #expect(body["jwks_uri"]?.string == "\(root)/discovery/v2.0/keys")
            #expect(body["authorization_endpoint"] != nil && body["issuer"] != nil)
            let keys = try await server.send("GET", "/\(RunningSandbox.contoso)/discovery/v2.0/keys")
            #expect(try keys.json == server.sandbox.signer.keySet)
            let unknown = try await server.send(
                "GET", "/\(Self.other)/v2.0/.well-known/openid-configuration")
            #expect(try unknown.json["error"] == "invalid_request")
        }
    }

    @Test func removedRolesAreMissingInNewTokens() async throws {
        try await RunningSandbox.run { server in
            let before = try await server.token()
            let fault = try await server.arm([
                "kind": "rolesRemoved", "tenant": .string(RunningSandbox.contoso),
                "roles": [
                    "Organization.Read.All", "DeviceManagementConfiguration.Read.All",
                    "DeviceManagementServiceConfig.Read.All",
                ],
            ])
            let after = try await server.token()
            #expect(try await server.get("/v1.0/organization", before).status == 200)
            #expect(try await server.get("/v1.0/organization", after).status == 403)
            #expect(try await server.control("DELETE", "faults/\(fault)").status == 204)
            let restored = try await server.token()
            #expect(try await server.get("/v1.0/organization", restored).status == 200)
        }
    }

    @Test func rolesRemovedAtOnceConcernOldTokens() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let path = "/v1.0/deviceManagement/managedDevices?$top=1"
            #expect(try await server.get(path, token).status == 200)
            try await server.arm([
                "kind": "rolesRemoved", "atOnce": true, "roles": ["DeviceManagementManagedDevices.Read.All"],
            ])
            let refused = try await server.get(path, token)
            #expect(refused.status == 403)
            let inner = try JSON(parsing: try #require(refused.errorMessage))
            #expect(inner["_version"] == 3)
            #expect(inner["Message"]?.string?.contains("DeviceManagementManagedDevices.Read.All") == true)
            #expect(try await server.get("/v1.0/organization", token).status == 200)
        }
    }

    @Test func secretsExpireAndAreRestored() async throws {
        try await RunningSandbox.run { server in
            let running = try await server.token()
            for (code, error) in [
                (7_000_222, "invalid_client"), (7_000_215, "invalid_client"),
                (7_000_112, "unauthorized_client"), (53_003, "invalid_grant"),
            ] {
                let fault = try await server.arm(["kind": "tokenError", "code": .int(code)])
                let reply = try await server.requestToken()
                #expect(try reply.json["error_codes"] == [.int(code)])
                #expect(try reply.json["error"]?.string == error)
                #expect(try await server.get("/v1.0/organization", running).status == 200)
                _ = try await server.control("DELETE", "faults/\(fault)")
            }
            #expect(try await server.requestToken().status == 200)
        }
    }

    @Test func theEndpointCanBeDown() async throws {
        try await RunningSandbox.run { server in
            try await server.arm([
                "kind": "outage", "endpoint": "token", "count": 1, "html": true, "status": 502,
            ])
            try await server.arm(["kind": "throttle", "endpoint": "token", "count": 1, "retryAfter": 60])
            let outage = try await server.requestToken()
            #expect(outage.status == 502)
            #expect(outage["Content-Type"] == "text/html")
            let throttled = try await server.requestToken()
            #expect(throttled.status == 429)
            #expect(throttled["Retry-After"] == "60")
            #expect(try await server.requestToken().status == 200)
        }
    }
}
