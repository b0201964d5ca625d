import CredentialFixtures
import Credentials
import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Sealing
import ServiceKit
import Store
import Testing

@testable import Starter

/// Making, changing and looking at provider connections, and setting their credentials.
@Suite(.serialized)
struct ConnectionRouteTests {
    /// What makes a connection that nobody else has.
    static func body(_ more: JSONObject = [:]) -> JSON {
        var body: JSONObject = [
            "display_name": "Fabrikam Intune", "cloud": "global",
            "entra_tenant_id": .string("\(RunID(UUID()))"),
            "entra_tenant_name": "Fabrikam", "client_id": .string("\(RunID(UUID()))"),
        ]
        for (name, value) in more.members { body[name] = value }
        return .object(body)
    }

    private static func path(_ id: String) -> String { "/v1/provider-connections/\(id)" }
    private static func revision(_ number: Int) -> HTTPFields { [.ifMatch: "\"\(number)\""] }

    private static func create(_ site: Site, _ token: String, _ body: JSON = body()) async throws -> Reply {
        try await site.call(.post, "/v1/tenants/\(site.world.tenant)/provider-connections", token, body)
    }

    @Test func aConnectionIsMadeShownChangedAndMadeTheDefault() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let made = try await Self.create(site, token)
            #expect(made.status == 201)
            let id = try #require(made["provider_connection_id"]?.string)
            #expect(made.headers[.location] == Self.path(id))
            #expect(made.headers[.eTag] == "\"1\"")
            #expect(made["default"] == false)
            #expect(made["enabled"] == true)
            #expect(made["credential"]?.isNull == true)
            #expect(made["health"] == "unknown")
            let shown = try await site.call(.get, Self.path(id), token)
            #expect(shown.body == made.body)

            let scope = "\(RunID(UUID()))"
            let edited = try await site.call(
                .patch, Self.path(id), token,
                ["display_name": "Renamed", "entra_tenant_id": .string(scope.uppercased())],
                headers: Self.revision(1))
            #expect(edited.status == 200, "\(edited.text)")
            #expect(edited["display_name"] == "Renamed")
            #expect(edited["entra_tenant_id"]?.string == scope)
            #expect(edited["entra_tenant_name"] == "Fabrikam")
            #expect(edited["settled_at"]?.string != nil)
            #expect(edited["revision"] == 2)

            let chosen = try await site.call(.put, Self.path(id) + "/default", token)
            #expect(chosen["default"] == true)
            let before = try await site.call(.get, Self.path("\(site.world.connection)"), token)
            #expect(before["default"] == false)
            #expect(before.headers[.eTag] == "\"2\"")
            let again = try await site.call(.put, Self.path(id) + "/default", token)
            #expect(again["revision"] == chosen["revision"])

            let actions = try await site.pool.query(
                """
                SELECT action, tenant_id, actor_id FROM audit
                WHERE details::jsonb->>'provider_connection_id' = $1 ORDER BY id
                """, [.text(id)])
            #expect(
                try actions.map { try $0.text(0) }
                    == ["connection.created", "connection.changed", "connection.default_set"])
            for row in actions {
                #expect(try row.uuid(1) == site.world.tenant.uuid)
                #expect(try row.uuid(2) == site.world.manager.uuid)
            }
        }
    }

    @Test func switchingIsAuditedForItsTenant() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let path = Self.path("\(site.world.connection)")
            let off = try await site.call(.put, path + "/enabled", token, ["enabled": false])
            #expect(off.status == 200)
            #expect(off["settled_at"]?.string != nil)
            #expect(try await site.call(.get, path, token)["enabled"] == false)
            #expect(try await site.call(.put, path + "/enabled", token, ["enabled": true]).status == 204)
            let rows = try await site.pool.query(
                "SELECT action, tenant_id FROM audit WHERE action LIKE 'connection.%' ORDER BY id")
            #expect(try rows.map { try $0.text(0) } == ["connection.disabled", "connection.enabled"])
            #expect(try rows.allSatisfy { try $0.uuid(1) == site.world.tenant.uuid })
        }
    }

    @Test func anEditSaysWhatItHasSeen() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let path = Self.path("\(site.world.connection)")
            let edit: JSON = ["display_name": "x"]
            let without = try await site.call(.patch, path, token, edit)
            #expect(without.status == 428)
            #expect(without["reason_code"] == "revision_needed")
            for text in ["*", "1", "\"x\"", "W/\"1\"", "\"0\"", "\"1\", \"2\"", "\"\""] {
                let reply = try await site.call(.patch, path, token, edit, headers: [.ifMatch: text])
                #expect(reply.status == 400, "\(text)")
            }
            #expect(try await site.call(.patch, path, token, edit, headers: Self.revision(1)).status == 200)
            let stale = try await site.call(.patch, path, token, edit, headers: Self.revision(1))
            #expect(stale.status == 412)
            #expect(stale["reason_code"] == "changed_meanwhile")
            let nothing = try await site.call(.patch, path, token, [:], headers: Self.revision(2))
            #expect(nothing.status == 422)
        }
    }

    @Test func whatIsNotValidIsNamed() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let wrong: [(JSONObject, String)] = [
                (["display_name": ""], "/display_name"),
                (["display_name": .string(String(repeating: "x", count: 201))], "/display_name"),
                (["cloud": "mars"], "/cloud"), (["cloud": "https://evil.example"], "/cloud"),
                (["entra_tenant_id": "contoso.onmicrosoft.com"], "/entra_tenant_id"),
                (["entra_tenant_id": "common"], "/entra_tenant_id"), (["client_id": 7], "/client_id"),
                (["default": "yes"], "/default"), (["client_secret": "x"], "/client_secret"),
                (["status": "healthy"], "/status"),
            ]
            for (more, pointer) in wrong {
                let reply = try await Self.create(site, token, Self.body(more))
                #expect(reply.status == 422)
                #expect(reply.pointers == [pointer])
            }
            let first = Self.body()
            #expect(try await Self.create(site, token, first).status == 201)
            let second = try await Self.create(site, token, first)
            #expect(second.status == 409)
            #expect(second["reason_code"] == "connection_exists")
            for member in ["client_id", "cloud", "default", "enabled", "health"] {
                let reply = try await site.call(
                    .patch, Self.path("\(site.world.connection)"), token,
                    ["display_name": "x", "\(member)": "x"],
                    headers: Self.revision(1))
                #expect(reply.pointers == ["/\(member)"])
            }
        }
    }

    // MARK: credentials

    private static func opened(_ site: Site, _ id: ConnectionID) async throws -> ProviderCredential {
        let stored = try #require(
            try await ProviderConnections(pool: site.pool).find(id, of: site.world.tenant)?.credential)
        let payload = try Opener(privateKeys: [Site.key]).open(
            Sealed(keyID: KeyID(stored.keyID), bytes: stored.sealed),
            .providerCredential(
                tenant: site.world.tenant.uuid, connection: id.uuid, version: stored.version))
        return try ProviderCredential(payload: payload)
    }

    @Test func aSecretIsSealedRotatedAndNeverShown() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let made = try await Self.create(site, token)
            let id = try #require(made["provider_connection_id"]?.string.flatMap(ConnectionID.init))
            let path = Self.path("\(id)") + "/credential"
            let secret = "canary~S3cret.1+2/3=4&5%6"
            let set = try await site.call(
                .put, path, token,
                [
                    "kind": "secret", "client_secret": .string(secret),
                    "expires_at": "2036-05-31T00:00:00.000000Z",
                ])
            #expect(set.status == 201, "\(set.text)")
            #expect(set["credential"]?["version"] == 1)
            #expect(set["credential"]?["kind"] == "secret")
            #expect(set["credential"]?["thumbprint_sha256"]?.isNull == true)
            #expect(set["credential"]?["set_by"]?["id"]?.string == "\(site.world.manager)")
            #expect(set["credential"]?["expires_at"] == "2036-05-31T00:00:00.000000Z")
            #expect(set["effective_at"] == nil)
            guard case .clientSecret(let value) = try await Self.opened(site, id) else {
                Issue.record("another kind")
                return
            }
            #expect(value.reveal { String(decoding: $0, as: UTF8.self) } == secret)

            let rotated = try await site.call(
                .put, path, token, ["kind": "secret", "client_secret": "canary-two"])
            #expect(rotated.status == 200)
            #expect(rotated["credential"]?["version"] == 2)
            #expect(rotated["credential"]?["expires_at"]?.isNull == true)
            #expect(rotated["settled_at"]?.string != nil)

            let sample = SampleCertificate.shared
            let certificate = try await site.call(
                .put, path, token,
                [
                    "kind": "certificate", "certificate": .string(sample.certificate),
                    "private_key": .string(sample.privateKey),
                ])
            #expect(certificate.status == 200, "\(certificate.text)")
            #expect(certificate["credential"]?["thumbprint_sha256"]?.string == Hex.text(sample.thumbprint))
            #expect(certificate["credential"]?["expires_at"]?.string != nil)
            guard case .certificate(let read) = try await Self.opened(site, id) else {
                Issue.record("another kind")
                return
            }
            #expect(read.thumbprint == sample.thumbprint)

            let shown = try await site.call(.get, Self.path("\(id)"), token)
            let listed = try await site.call(.get, "/v1/provider-connections", token)
            let rows = try await site.pool.query(
                """
                SELECT string_agg(t, ' ') FROM (
                    SELECT a::text AS t FROM audit a UNION ALL SELECT c::text FROM provider_connections c
                    UNION ALL SELECT k::text FROM provider_credentials k
                ) AS x
                """)
            let told =
                [set, rotated, certificate, shown, listed].map(\.text).joined() + (try rows[0].text(0))
            for canary in [
                "canary", "S3cret", "Y2FuYXJ5", "63616e617279", "PRIVATE KEY", "client_secret\":\"", "MII",
            ] {
                #expect(!told.contains(canary), "\(canary)")
            }
            let versions = try await site.pool.query(
                """
                SELECT details::jsonb->>'version', details::jsonb->>'kind', tenant_id FROM audit
                WHERE action = 'credential.set' ORDER BY id
                """)
            #expect(try versions.map { try $0.text(0) } == ["1", "2", "3"])
            #expect(try versions.map { try $0.text(1) } == ["secret", "secret", "certificate"])
            #expect(try versions.allSatisfy { try $0.uuid(2) == site.world.tenant.uuid })
        }
    }

    @Test func whatIsNoCredentialIsNamedAndNotRepeated() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let path = Self.path("\(site.world.connection)") + "/credential"
            let (sample, other) = (SampleCertificate.shared, SampleCertificate.other)
            let key = JSON.string(sample.privateKey)
            let wrong: [(JSON, String)] = [
                ([:], "/kind"), (["kind": "password"], "/kind"),
                (["kind": "secret"], "/client_secret"),
                (["kind": "secret", "client_secret": "canary blank"], "/client_secret"),
                (["kind": "secret", "client_secret": "canary\n"], "/client_secret"),
                (
                    [
                        "kind": "secret",
                        "client_secret": .string(String(repeating: "c", count: 1_025)),
                    ],
                    "/client_secret"
                ),
                (
                    [
                        "kind": "secret", "client_secret": "canary",
                        "expires_at": "2020-01-01T00:00:00.000000Z",
                    ], "/expires_at"
                ),
                (["kind": "secret", "client_secret": "canary", "expires_at": "soon"], "/expires_at"),
                (["kind": "secret", "client_secret": "canary", "private_key": key], "/kind"),
                (["kind": "certificate", "client_secret": "canary"], "/kind"),
                (["kind": "certificate", "private_key": key], "/certificate"),
                (["kind": "certificate", "certificate": .string(sample.certificate)], "/private_key"),
                (
                    ["kind": "certificate", "certificate": .string(other.certificate), "private_key": key],
                    "/private_key"
                ),
                (["kind": "certificate", "certificate": "canary", "private_key": key], "/certificate"),
                (
                    [
                        "kind": "certificate", "certificate": .string(sample.certificate),
                        "private_key": "canary",
                    ], "/private_key"
                ),
            ]
            for (body, pointer) in wrong {
                let reply = try await site.call(.put, path, token, body)
                #expect(reply.status == 422, "\(reply.text)")
                #expect(reply.pointers == [pointer])
                #expect(!reply.text.contains("canary"))
                #expect(!reply.text.contains("BEGIN"))
            }
            let stored = try await site.call(.get, Self.path("\(site.world.connection)"), token)
            #expect(stored["credential"]?["version"] == 1)
        }
    }

    @Test func atTheSameTimeOneIsSetAndTheOthersAreTold() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let path = Self.path("\(site.world.connection)") + "/credential"
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<16 {
                    let body: JSON = ["kind": "secret", "client_secret": .string("secret-\(index)")]
                    group.addTask { try await site.call(.put, path, token, body).status }
                }
                var statuses: [Int] = []
                for try await status in group { statuses.append(status) }
                return statuses
            }
            #expect(Set(statuses).isSubset(of: [200, 409]))
            let successes = statuses.filter { $0 == 200 }.count
            let stored = try await site.call(.get, Self.path("\(site.world.connection)"), token)
            #expect(successes > 0)
            #expect(stored["credential"]?["version"]?.integer == 1 + successes)
        }
    }

    @Test func withoutTheKeyNothingIsSet() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let api = StarterAPI(
                pool: site.pool, families: [.provider], outboxLeaseSeconds: 10, rateLimit: nil,
                logger: TestDatabase.quiet, makeID: timeOrderedID, publish: { _ in })
            let body: JSON = ["kind": "secret", "client_secret": "s"]
            let reply = try await Reply(
                of: api, .put, Self.path("\(site.world.connection)") + "/credential", token, body.bytes,
                headers: [.contentType: "application/json"])
            #expect(reply.status == 503)
            #expect(reply["reason_code"] == "credential_key_missing")
        }
    }
}
