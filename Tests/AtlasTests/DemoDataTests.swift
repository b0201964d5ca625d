import Fixtures
import Foundation
import JSON
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Atlas

/// Migrations, demo data and tokens, against a real database.
@Suite struct DemoDataTests {
    private static let count: Statement = """
        SELECT (SELECT count(*) FROM workspaces) AS workspaces, (SELECT count(*) FROM tenants) AS tenants,
               (SELECT count(*) FROM users) AS users,
               (SELECT count(*) FROM memberships WHERE revoked_at IS NULL) AS memberships,
               (SELECT count(*) FROM provider_connections WHERE is_default AND enabled) AS connections,
               (SELECT count(*) FROM provider_credentials WHERE version = 1) AS credentials,
               (SELECT count(*) FROM api_tokens) AS tokens
        """

    private func counts(_ database: TestDatabase) async throws -> [String: Int] {
        let row = try await database.pool.query(Self.count)[0]
        let names = ["workspaces", "tenants", "users", "memberships", "connections", "credentials", "tokens"]
        return try Dictionary(uniqueKeysWithValues: names.map { ($0, try row.int($0)) })
    }

    private func audited(_ database: TestDatabase) async throws -> [String: Int] {
        let rows = try await database.pool.query("SELECT action, count(*) AS n FROM audit GROUP BY action")
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.text("action"), try $0.int("n")) })
    }

    private func atlas(
        _ database: TestDatabase, _ key: SealingPrivateKey = SealingPrivateKey(),
        _ more: [String: String] = [:]
    ) -> AtlasProcess {
        AtlasProcess(
            environment: [
                "DATABASE_URL": database.url, "CREDENTIAL_PUBLIC_KEY": key.publicKey.text,
            ].merging(more) { _, new in new })
    }

    @Test func migratesAnEmptyDatabaseOnce() async throws {
        try await TestDatabase.with { database in
            _ = try await database.pool.pipeline([
                ("DROP SCHEMA public CASCADE", []), ("CREATE SCHEMA public", []),
            ])
            let atlas = atlas(database)
            let names = Schema.migrations.map { JSON.string($0.name) }

            let early = try await atlas.run("demo-data")
            #expect(early.status == 1)
            #expect(early.errors.contains("atlas migrate"))

            let planned = try await atlas.run("migrate", "--dry-run", "--json")
            #expect(planned.status == 0)
            #expect(try planned.json["migrations"]?.array?.compactMap { $0["name"] } == names)
            let human = try await atlas.run("migrate", "--dry-run")
            #expect(
                human.output == Schema.migrations.map { "would apply \($0.version) \($0.name)\n" }.joined())

            let applied = try await atlas.run("migrate", "--json")
            #expect(applied.status == 0)
            #expect(try applied.json == ["dry_run": false, "migrations": try planned.json["migrations"]!])
            let partitions = try await database.pool.query(
                "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'audit'::regclass")
            #expect(try partitions[0].int("n") == 5)

            let again = try await atlas.run("migrate")
            #expect(again.output == "The database is up to date, at version \(Schema.migrations.count).\n")
        }
    }

    @Test func loadsTheWorldAndCanDoItAgain() async throws {
        try await TestDatabase.with { database in
            let key = SealingPrivateKey()
            let first = try await atlas(database, key).run("demo-data", "--json")
            #expect(first.status == 0, "\(first.errors)")
            var expected = [
                "workspaces": 1, "tenants": 6, "users": 7, "memberships": 7, "connections": 6,
                "credentials": 6,
                "tokens": 7,
            ]
            #expect(try await counts(database) == expected)
            let made = [
                "workspace.created": 1, "tenant.created": 6, "user.created": 7, "access.granted": 7,
                "connection.created": 6, "credential.set": 6, "token.issued": 7,
            ]
            #expect(try await audited(database) == made)

            let json = try first.json
            #expect(
                json["tenants"]?.array?.map { $0["name"] } == [
                    "Contoso", "Fabrikam", "Adventure Works", "Litware", "Woodgrove Bank", "Tailspin Toys",
                ])
            #expect(json["tenants"]?.array?.map { $0["devices"] } == [20_000, 1_250, 300, 120, 80, 20])
            #expect(
                json["users"]?.array?.map { $0["role"] } == [
                    "owner", "manager", "operator", "operator", "operator", "readonly", "operator",
                ])

            let second = try await atlas(database, key).run("demo-data", "--json")
            expected["tokens"] = 14
            #expect(try await counts(database) == expected)
            #expect(try await audited(database) == made.merging(["token.issued": 14]) { $1 })
            #expect(try second.json["tenants"] == json["tenants"])
            let tokens = try [json, second.json].flatMap { $0["users"]?.array ?? [] }.compactMap {
                $0["token"]
            }
            #expect(Set(tokens).count == 14)

            let large = try await atlas(database, key).run("demo-data", "--large", "--json")
            #expect(try large.json["tenants"]?.array?.last?["devices"] == 100_000)
            #expect(try await counts(database)["connections"] == 7)
        }
    }

    @Test func theSecretOpensWithTheKeyAndWithNothingElse() async throws {
        try await TestDatabase.with { database in
            let (old, new) = (SealingPrivateKey(), SealingPrivateKey())
            #expect(try await atlas(database, old).run("demo-data").status == 0)
            #expect(try await atlas(database, new).run("demo-data").status == 0)
            let opener = Opener(privateKeys: [new])
            for tenant in DemoWorld.tenants(large: false) {
                let connection = try #require(
                    try await ProviderConnections(pool: database.pool).find(
                        tenant.connectionID, of: tenant.id))
                #expect(connection.cloud == "sandbox")
                #expect(connection.entraTenantID == tenant.entraTenantID)
                #expect(connection.clientID == tenant.clientID)
                let credential = try #require(connection.credential)
                #expect(credential.version == 2)
                let sealed = Sealed(keyID: KeyID(credential.keyID), bytes: credential.sealed)
                let secret = try opener.open(
                    sealed,
                    .providerCredential(
                        tenant: tenant.id.uuid, connection: tenant.connectionID.uuid, version: 2))
                secret.reveal { bytes in
                    #expect(
                        (try? JSON(parsing: bytes)) == ["client_secret": .string(tenant.clientSecret)])
                }
            }
        }
    }

    @Test func accessThatWasTakenAwayIsGivenAnewAndNotRevived() async throws {
        try await TestDatabase.with { database in
            #expect(try await atlas(database).run("demo-data").status == 0)
            let person = DemoWorld.users[2].id
            _ = try await AuthorityChanges(pool: database.pool, makeID: { UUID() }).apply(
                .revokeMembership(user: person, tenant: nil), in: DemoWorld.workspaceID, by: .system)
            #expect(try await atlas(database).run("demo-data").status == 0)
            let grants = try await database.pool.query(
                "SELECT revoked_at IS NULL AS holds FROM memberships WHERE user_id = $1::uuid ORDER BY granted_at",
                [.uuid(person.uuid)])
            #expect(try grants.map { try $0.bool("holds") } == [false, true])
        }
    }

    @Test func whatIsMissingIsNamed() async throws {
        let nothing = try await AtlasProcess(environment: [:]).run("demo-data", "--json")
        #expect(nothing.status == 2)
        #expect(nothing.error?["why"]?.string?.contains("CREDENTIAL_PUBLIC_KEY") == true)
        let away = try await AtlasProcess(environment: ["DATABASE_URL": "postgres://postgres@127.0.0.1:1/x"])
            .run("migrate", "--dry-run", "--json")
        #expect(away.status == 3)
        let wrong = try await AtlasProcess(environment: ["DATABASE_URL": "mysql://x"]).run("migrate")
        #expect(wrong.status == 2)
    }

    @Test func firstTokensAreIssuedPastTheAPI() async throws {
        try await TestDatabase.with { database in
            let atlas = atlas(database)
            #expect(try await atlas.run("demo-data").status == 0)
            let issued = try await atlas.run(
                "tokens", "issue", "--user", "omar reyes", "--label", "phone", "--days", "2", "--json")
            #expect(issued.status == 0, "\(issued.errors)")
            let token = try #require(try issued.json["token"]?.string)
            let id = try #require(try issued.json["token_id"]?.string)
            #expect(token.wholeMatch(of: #/ta_[A-Za-z0-9_-]{43}/#) != nil)
            let row = try await database.pool.query(
                """
                SELECT label, extract(epoch FROM expires_at - created_at)::bigint AS seconds,
                       token_hash = sha256(convert_to($1, 'UTF8')) AS is_hash
                FROM api_tokens WHERE id = $2::uuid
                """, [.text(token), .uuid(try #require(UUID(uuidString: id)))])[0]
            #expect(try row.text("label") == "phone")
            #expect(try row.int("seconds") == 2 * 86_400)
            #expect(try row.bool("is_hash"))
        }
    }

    @Test func tokensForNobodyAreRefused() async throws {
        try await TestDatabase.with { database in
            let atlas = atlas(database)
            #expect(try await atlas.run("demo-data").status == 0)
            let nobody = try await atlas.run("tokens", "issue", "--user", "Nobody")
            #expect(nobody.status == 1)
            #expect(nobody.errors.contains("There is nobody called «Nobody»."))
            let typed = try await atlas.run("tokens", "revoke", "ta_" + String(repeating: "A", count: 43))
            #expect(typed.status == 2)
            #expect(!typed.errors.contains("ta_AAA"), "a token must not be repeated on a screen")
            _ = try await database.pool.query(
                "INSERT INTO users (id, workspace_id, name) SELECT gen_random_uuid(), workspace_id, name FROM users"
            )
            let twice = try await atlas.run("tokens", "issue", "--user", "Omar Reyes")
            #expect(twice.status == 1)
            #expect(twice.errors.contains("There are 2 called"))
        }
    }

    @Test func freezesEverythingAndLiftsIt() async throws {
        try await TestDatabase.with { database in
            let atlas = atlas(database)
            let frozen = try await atlas.run("access", "freeze", "--everything", "--json")
            #expect(frozen.status == 0, "\(frozen.errors)")
            #expect(try frozen.json["settled_at"]?.string != nil)
            let state = "SELECT frozen, freeze_generation FROM platform" as Statement
            #expect(try await database.pool.query(state)[0].bool("frozen"))
            let lifted = try await atlas.run("access", "unfreeze", "--everything")
            #expect(lifted.output == "No longer frozen: everything.\n")
            let row = try await database.pool.query(state)[0]
            #expect(try !row.bool("frozen"))
            #expect(try row.int("freeze_generation") == 2)
        }
    }
}
