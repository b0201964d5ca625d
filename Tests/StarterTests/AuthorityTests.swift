import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// Taking access away, and what the answer says about it.
@Suite(.serialized)
struct AuthorityTests {
    @Test func aSettledRevocationSaysWhen() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let loser = try await site.token(for: site.world.operator)
            let reply = try await site.call(
                .post, "/v1/access/revocations", token, ["user_id": .string("\(site.world.operator)")])
            #expect(reply.status == 200)
            let effective = try #require(reply["effective_at"].flatMap(Timestamp.init(json:)))
            let settled = try #require(reply["settled_at"].flatMap(Timestamp.init(json:)))
            #expect(effective.date <= settled.date)
            #expect(reply["in_doubt"] == [])
            let start = try await site.call(.post, "/v1/runs", loser, checkBody(on: site.world.connection))
            #expect(start.status == 404)
            let actor = try await site.pool.query(
                "SELECT actor_id FROM audit WHERE action = 'access.revoked'")
            #expect(try actor[0].uuid("actor_id") == site.world.manager.uuid)
        }
    }

    /// A run of the operator's with a call whose holder was lost.
    private func aCallInDoubt(_ site: Site) async throws -> (run: RunID, call: UUID) {
        let run = try await site.start(site.token(for: site.world.operator))
        let call = UUID()
        _ = try await site.pool.query(
            """
            INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id, connection_id,
                                      user_id, grant_id, call, opened_at, deadline)
            SELECT $1::uuid, r.id, 1, gen_random_uuid(), r.workspace_id, r.tenant_id, r.connection_id,
                   r.initiator_id, m.id, 'GET /organization', now(), now() - interval '1 second'
            FROM runs r JOIN memberships m ON m.user_id = r.initiator_id
            """, [.uuid(call)])
        return (run, call)
    }

    @Test func aCallThatNobodyCanTellTheEndOfIsInDoubt() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let (run, call) = try await aCallInDoubt(site)
            let changes: [(HTTPRequest.Method, String, JSON?)] = [
                (.put, "/v1/provider-connections/\(site.world.connection)/enabled", ["enabled": false]),
                (.put, "/v1/tenants/\(site.world.tenant)/operability", ["operability": "suspended"]),
                (.put, "/v1/tenants/\(site.world.tenant)/write-gate", ["open": false]),
                (.post, "/v1/freezes", ["scope": "tenant", "id": .string("\(site.world.tenant)")]),
                (
                    .post, "/v1/access/roles",
                    ["user_id": .string("\(site.world.operator)"), "role": "readonly"]
                ),
                (.post, "/v1/users/\(site.world.operator)/disable", nil),
                (.post, "/v1/access/revocations", ["user_id": .string("\(site.world.operator)")]),
            ]
            for (method, path, body) in changes {
                let reply = try await site.call(method, path, token, body)
                #expect(reply.status == 202, "\(path): \(reply.text)")
                #expect(reply["settled_at"]?.isNull == true)
                let doubt = reply["in_doubt"]?[0]
                #expect(doubt?["call_id"]?.string == call.uuidString.lowercased())
                #expect(doubt?["run_id"]?.string == "\(run)")
                #expect(doubt?["call"]?.string == "GET /organization")
            }
        }
    }

    @Test func whatGivesBackWaitsForNoCall() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            _ = try await aCallInDoubt(site)
            for (path, body) in [
                ("/v1/tenants/\(site.world.tenant)/operability", ["operability": "operable"]),
                ("/v1/tenants/\(site.world.tenant)/write-gate", ["open": true]),
                ("/v1/provider-connections/\(site.world.connection)/enabled", ["enabled": true]),
            ] as [(String, JSON)] {
                let reply = try await site.call(.put, path, token, body)
                #expect(reply.status == 204, "\(path): \(reply.text)")
            }
        }
    }

    @Test func aSecondGrantIsAConflict() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let body: JSON = ["user_id": .string("\(site.world.stranger)"), "role": "operator"]
            let first = try await site.call(.post, "/v1/access/grants", token, body)
            #expect(first.status == 201)
            #expect(first["grant_id"]?.string.flatMap(GrantID.init) != nil)
            let second = try await site.call(.post, "/v1/access/grants", token, body)
            #expect(second.status == 409)
            #expect(second["reason_code"]?.string == "already_granted")
        }
    }

    @Test func aDisabledPersonIsOutAtTheNextRequest() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.manager)
            let other = try await site.token(for: site.world.operator)
            #expect(try await site.call(.get, "/v1/me", other).status == 200)
            let path = "/v1/users/\(site.world.operator)"
            #expect(try await site.call(.post, "\(path)/disable", token).status == 200)
            #expect(try await site.call(.get, "/v1/me", other).status == 401)
            #expect(try await site.call(.post, "\(path)/enable", token).status == 204)
            #expect(try await site.call(.get, "/v1/me", other).status == 200)
        }
    }
}

extension World {
    var manager: UserID { people[.manager]! }
}
