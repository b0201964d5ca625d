import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// Making, listing and revoking tokens, and what a token that may do less than its owner is refused.
@Suite(.serialized)
struct TokenRouteTests {
    @Test func aTokenIsShownOnceAndWorksUntilItIsRevoked() async throws {
        try await Site.with { site in
            let first = try await site.token(for: site.world.operator)
            let made = try await site.call(.post, "/v1/tokens", first, ["label": "laptop", "days": 7])
            #expect(made.status == 201)
            let (token, id) = (try #require(made["token"]?.string), try #require(made["token_id"]?.string))
            #expect(made["capabilities"]?.isNull == true)
            #expect(made["user"]?["kind"] == "person")
            #expect(try await site.call(.get, "/v1/me", token).status == 200)
            let list = try await site.call(.get, "/v1/tokens", first)
            #expect(list["tokens"]?.array?.count == 2)
            #expect(!list.text.contains(token))
            let entry = list["tokens"]?.array?.first { $0["token_id"]?.string == id }
            #expect(entry?["label"] == "laptop")
            #expect(entry?["last_used_at"]?.string != nil)
            #expect(entry?["issued_by"]?["id"]?.string == "\(site.world.operator)")
            let row = try await site.pool.query(
                """
                SELECT extract(epoch FROM expires_at - created_at)::bigint AS seconds,
                       token_hash = sha256(convert_to($1, 'UTF8')) AS is_hash
                FROM api_tokens WHERE id = $2::uuid
                """, [.text(token), .uuid(UUID(uuidString: id)!)])[0]
            #expect(try row.int("seconds") == 7 * 86_400)
            #expect(try row.bool("is_hash"))
            #expect(try await site.call(.delete, "/v1/tokens/\(id)", first).status == 204)
            #expect(try await site.call(.get, "/v1/me", token).status == 401)
            // Once more changes nothing.
            #expect(try await site.call(.delete, "/v1/tokens/\(id)", first).status == 204)
            let audited = try await site.pool.query(
                "SELECT action, actor_id, details::text FROM audit WHERE details->>'token_id' = $1 ORDER BY id",
                [.text(id)])
            #expect(try audited.map { try $0.text(0) } == ["token.issued", "token.revoked"])
            #expect(try audited.allSatisfy { try $0.uuid(1) == site.world.operator.uuid })
            #expect(try !audited.contains { try $0.text(2).contains(token.dropFirst(3)) })
        }
    }

    @Test func whatIsNotValidIsNamed() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let wrong: [(JSON, String)] = [
                ([:], "/label"), (["label": ""], "/label"), (["label": "x", "days": 0], "/days"),
                (["label": "x", "days": 366], "/days"),
                (["label": "x", "capabilities": []], "/capabilities"),
                (["label": "x", "capabilities": ["root"]], "/capabilities"),
                (["label": "x", "tenant_ids": []], "/tenant_ids"),
                (["label": "x", "tenant_ids": ["x"]], "/tenant_ids"),
                (["label": "x", "token": "ta_mine"], "/token"),
            ]
            for (body, pointer) in wrong {
                let reply = try await site.call(.post, "/v1/tokens", token, body)
                #expect(reply.status == 422, "\(body)")
                #expect(reply.pointers == [pointer])
            }
            let standard = try await site.call(.post, "/v1/tokens", token, ["label": "x"])
            let expires = try #require(standard["expires_at"].flatMap(Timestamp.init(json:)))
            #expect(abs(expires.date.timeIntervalSinceNow - 90 * 86_400) < 60)
        }
    }

    /// A tenant of another workspace, one that does not exist, and one that the caller can't see are the same.
    @Test func aTokenNamesOnlyTenantsThatTheCallerSees() async throws {
        try await Site.with { site in
            let foreign = try await World.make(in: site.pool)
            let token = try await site.token(for: site.world.stranger)
            var bodies: Set<[UInt8]> = []
            for tenant in [site.world.tenant, foreign.tenant, TenantID(UUID())] {
                let reply = try await site.call(
                    .post, "/v1/tokens", token, ["label": "x", "tenant_ids": [.string("\(tenant)")]])
                #expect(reply.status == 404)
                bodies.insert(reply.body)
            }
            #expect(bodies.count == 1)
        }
    }

    /// Lists hold what both the owner sees and the token is for.
    @Test func aListHoldsWhatBothTheOwnerAndTheTokenAllow() async throws {
        try await Site.with { site in
            let world = site.world
            let all = Set(Capability.allCases)
            let cases: [(UserID, TokenScope, [TenantID])] = [
                (world.owner, .full, world.tenants),
                (world.owner, TokenScope(capabilities: nil, tenants: [world.tenants[0]]), [world.tenants[0]]),
                (world.owner, TokenScope(capabilities: [.providerView], tenants: nil), world.tenants),
                (world.owner, TokenScope(capabilities: all.subtracting([.providerView]), tenants: nil), []),
                (world.stranger, TokenScope(capabilities: all, tenants: Set(world.tenants)), []),
            ]
            for (user, scope, expected) in cases {
                let reply = try await site.call(.get, "/v1/tenants", site.token(for: user, scope: scope))
                #expect(Set(reply.ids("tenants", "tenant_id")) == Set(expected.map(\.description)))
            }
        }
    }

    @Test func aNarrowTokenSaysSoAndMakesNoOthers() async throws {
        try await Site.with { site in
            let scope = TokenScope(capabilities: [.providerView], tenants: nil)
            let token = try await site.token(for: site.world.owner, scope: scope)
            let start = try await site.call(.post, "/v1/runs", token, checkBody(on: site.world.connection))
            #expect(start.status == 403)
            #expect(start["reason_code"] == "outside_token")
            let make = try await site.call(.post, "/v1/tokens", token, ["label": "x"])
            #expect(make.status == 403)
            #expect(make["reason_code"] == "outside_token")
            let me = try await site.call(.get, "/v1/me", token)
            #expect(me["token"]?["capabilities"] == ["provider.view"])
            #expect(me["grants"]?[0]?["capabilities"] == ["provider.view"])
        }
    }

    /// One's own schedule may be switched off without its capability, but not by a token that is not for it.
    @Test func aNarrowTokenDoesNotSwitchSchedules() async throws {
        try await Site.with { site in
            let full = try await site.token(for: site.world.operator)
            let made = try await site.call(
                .post, "/v1/schedules", full, ScheduleTests.body(on: site.world.connection))
            let id = try #require(made["schedule_id"]?.string)
            let narrow = try await site.token(
                for: site.world.operator, scope: TokenScope(capabilities: [.operationsView], tenants: nil))
            for (method, path) in [
                (HTTPRequest.Method.post, "/v1/schedules/\(id)/pause"), (.delete, "/v1/schedules/\(id)"),
            ] {
                #expect(try await site.call(method, path, narrow).status == 403)
            }
            #expect(try await site.call(.post, "/v1/schedules/\(id)/pause", full).status == 200)
        }
    }

    @Test func whenATokenWasUsedIsWrittenSeldom() async throws {
        try await Site.with { site in
            let id = UUID()
            let token = try await site.token(for: site.world.operator, id: id)
            func used() async throws -> Date? {
                try await site.pool.query(
                    "SELECT last_used_at FROM api_tokens WHERE id = $1::uuid", [.uuid(id)])[0].dateOrNil(0)
            }
            #expect(try await used() == nil)
            for _ in 0..<5 { _ = try await site.call(.get, "/v1/me", token) }
            let first = try #require(try await used())
            for _ in 0..<5 { _ = try await site.call(.get, "/v1/me", token) }
            #expect(try await used() == first)
            _ = try await site.pool.query(
                "UPDATE api_tokens SET last_used_at = last_used_at - interval '11 minutes'")
            _ = try await site.call(.get, "/v1/me", token)
            #expect(try #require(try await used()) >= first)
        }
    }

    @Test func nobodyHasMoreTokensThanTheLimit() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            for _ in 1..<Principals.userLimit { _ = try await site.token(for: site.world.operator) }
            let reply = try await site.call(.post, "/v1/tokens", token, ["label": "x"])
            #expect(reply.status == 409)
            #expect(reply["reason_code"] == "too_many_tokens")
            _ = try await site.pool.query(
                "UPDATE api_tokens SET expires_at = now() WHERE label = 'test' AND last_used_at IS NULL")
            #expect(try await site.call(.post, "/v1/tokens", token, ["label": "x"]).status == 201)
        }
    }
}
