import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing
import ServiceKit

@testable import Starter

/// Who is let in, and how often.
@Suite(.serialized)
struct TokenTests {
    @Test func whatIsNoTokenIsRefused() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            #expect(try await site.call(.get, "/v1/me", token).status == 200)
            let spoiled = String(token.dropLast()) + (token.hasSuffix("A") ? "E" : "A")
            let headers = [
                "Bearer \(spoiled)", "Bearer \(BearerToken.random().reveal())", "Bearer", "Bearer ",
                "Basic \(token)", token, "Bearer \(token)=", "Bearer  \(token)",
                "Bearer \(token), Bearer \(token)",
            ]
            for header in headers {
                let reply = try await site.call(.get, "/v1/me", nil, headers: [.authorization: header])
                #expect(reply.status == 401, "\(header)")
                #expect(reply.headers[.wwwAuthenticate] == "Bearer")
                #expect(!reply.text.contains(token.dropFirst(3)))
            }
            let lower = try await site.call(.get, "/v1/me", nil, headers: [.authorization: "bearer \(token)"])
            #expect(lower.status == 200)
        }
    }

    @Test func revokedAndExpiredTokensAreRefused() async throws {
        try await Site.with { site in
            let principals = Principals(pool: site.pool)
            let id = UUID()
            let token = try await site.token(for: site.world.operator, id: id)
            #expect(try await site.call(.get, "/v1/me", token).status == 200)
            try await principals.revoke(id, in: site.world.workspace, by: .user(site.world.owner))
            #expect(try await site.call(.get, "/v1/me", token).status == 401)
            await #expect(throws: StoreError.notFound("token")) {
                try await principals.revoke(id, in: site.world.workspace, by: .system)
            }
            let expired = try await site.token(for: site.world.operator, lifetime: 0)
            #expect(try await site.call(.get, "/v1/me", expired).status == 401)
            let words = try await site.pool.query(
                "SELECT action, actor_id FROM audit WHERE action LIKE 'token.%' ORDER BY id")
            #expect(try words.map { try $0.text(0) } == ["token.issued", "token.revoked", "token.issued"])
            #expect(try words[1].uuid(1) == site.world.owner.uuid)
        }
    }

    @Test func aTokenIsOnlyIssuedInThePersonsWorkspace() async throws {
        try await Site.with { site in
            let foreign = try await World.make(in: site.pool)
            await #expect(throws: StoreError.notFound("user")) {
                try await site.token(for: foreign.owner, in: site.world.workspace)
            }
        }
    }

    @Test func whoeverComesAtTheSameTimeIsToldApart() async throws {
        try await Site.with { site in
            var tokens: [(token: String, user: UserID)] = []
            for user in site.world.people.values { tokens.append((try await site.token(for: user), user)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    let (token, user) = tokens[index % tokens.count]
                    let isBad = index % 7 == 0
                    group.addTask {
                        let shown = isBad ? BearerToken.random().reveal() : token
                        let reply = try await site.call(.get, "/v1/me", shown)
                        #expect(reply.status == (isBad ? 401 : 200))
                        if !isBad { #expect(reply["user"]?["user_id"]?.string == "\(user)") }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func aTokenThatAsksTooOftenWaits() async throws {
        try await Site.with(rateLimit: RateLimit(perSecond: 1, burst: 3)) { site in
            let token = try await site.token(for: site.world.operator)
            let other = try await site.token(for: site.world.operator)
            for _ in 0..<3 { #expect(try await site.call(.get, "/v1/me", token).status == 200) }
            let reply = try await site.call(.get, "/v1/me", token)
            #expect(reply.status == 429)
            #expect(reply.headers[.retryAfter] == "1")
            #expect(reply["retryable"]?.bool == true)
            #expect(try await site.call(.get, "/v1/me", other).status == 200)
        }
    }

    /// A database that is away is told as such, and not as a wrong token.
    @Test func withoutDatabaseNothingIsKnown() async throws {
        var configuration = PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/none")
        configuration.waitDeadline = .seconds(1)
        let pool = PostgresPool(configuration, logger: TestDatabase.quiet)
        let reply = try await Reply(
            of: Site.api(on: pool), .get, "/v1/me", BearerToken.random().reveal(), [])
        #expect(reply.status == 503)
        #expect(reply.headers[.retryAfter] == "1")
        await pool.close()
    }
}
