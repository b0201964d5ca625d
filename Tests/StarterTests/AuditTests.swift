import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// Looking at the audit.
@Suite struct AuditTests {
    @Test func recordsAreShownNewestFirstWithTheirNames() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.owner)
            let run = try await site.call(
                .post, "/v1/runs", token,
                [
                    "operation": "provider.connection.check",
                    "provider_connection_id": .string("\(site.world.connection)"),
                ])
            let id = try #require(run["run_id"]?.string)
            _ = try await site.call(
                .put, "/v1/tenants/\(site.world.tenant)/write-gate", token, ["open": true])
            let answer = try await site.call(.get, "/v1/audit", token)
            #expect(answer.status == 200, "\(answer.text)")
            let records = try #require(answer["records"]?.array)
            #expect(
                records.map { $0["action"]?.string } == [
                    "tenant.write_gate_changed", "run.queued", "token.issued",
                ])
            #expect(records[1]["run_id"]?.string == id)
            #expect(records[1]["run_href"]?.string == "/v1/runs/\(id)")
            #expect(records[1]["actor"]?["name"]?.string == "owner")
            #expect(records[1]["tenant"]?["name"]?.string == "Tenant 1")
            #expect(records[1]["details"]?.object != nil)
            #expect(records[1]["at"].flatMap(Timestamp.init(json:)) != nil)
        }
    }

    @Test func filtersAndPagesGoTogether() async throws {
        try await Site.with(tenants: 2) { site in
            let token = try await site.token(for: site.world.owner)
            _ = try await site.pool.query(
                """
                INSERT INTO audit (at, action, workspace_id, tenant_id, actor_id, details)
                SELECT '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 hour',
                       CASE WHEN n % 2 = 0 THEN 'access.granted' ELSE 'access.revoked' END, $1::uuid,
                       ($2::uuid[])[1 + n % 3], CASE WHEN n % 5 = 0 THEN $3::uuid END, '{}'
                FROM generate_series(1, 60) n
                """,
                [
                    .uuid(site.world.workspace.uuid), .uuids(site.world.tenants.map(\.uuid)),
                    .uuid(site.world.operator.uuid),
                ])
            func count(_ query: String) async throws -> Int {
                let first = "/v1/audit?limit=7" + (query.isEmpty ? "" : "&\(query)")
                var (path, all) = (first, Set<Int>())
                while true {
                    let page = try await site.call(.get, path, token)
                    #expect(page.status == 200, "\(page.text)")
                    let ids = page["records"]?.array?.compactMap { $0["record_id"]?.integer } ?? []
                    #expect(ids == ids.sorted(by: >) && all.isDisjoint(with: ids))
                    all.formUnion(ids)
                    guard let next = page["next"]?.string else { return all.count }
                    path = first + "&cursor=\(next)"
                }
            }
            #expect(try await count("") == 61, "and the token's")
            #expect(try await count("action=access.revoked") == 30)
            #expect(try await count("tenant_id=\(site.world.tenants[1])") == 20)
            #expect(try await count("actor_id=\(site.world.operator)") == 12)
            #expect(try await count("since=2026-01-01T10:00:00Z&until=2026-01-01T20:00:00Z") == 10)
            #expect(try await count("since=2026-01-01T10:00:00.000001Z&until=2026-01-01T20:00:00Z") == 9)
        }
    }

    @Test func whoManagesOneTenantSeesWhatConcernsIt() async throws {
        try await Site.with(tenants: 2) { site in
            let world = site.world
            _ = try await site.pool.query(
                """
                INSERT INTO memberships (id, workspace_id, user_id, tenant_id, role)
                VALUES (gen_random_uuid(), $1::uuid, $2::uuid, $3::uuid, 'manager')
                """,
                [.uuid(world.workspace.uuid), .uuid(world.stranger.uuid), .uuid(world.tenants[1].uuid)])
            _ = try await site.pool.query(
                """
                INSERT INTO audit (action, workspace_id, tenant_id, details)
                SELECT 'run.queued', $1::uuid, t, '{}' FROM unnest($2::uuid[] || NULL::uuid) AS t
                """, [.uuid(world.workspace.uuid), .uuids(world.tenants.map(\.uuid))])
            let page = try await site.call(.get, "/v1/audit", site.token(for: world.stranger))
            let tenants = page["records"]?.array?.map { $0["tenant"]?["id"]?.string }
            #expect(tenants == ["\(world.tenants[1])"])
        }
    }

    @Test(arguments: [
        ("since=yesterday", "?since"), ("action=tea.made", "?action"), ("cursor=abc", "?cursor"),
        ("colour=red", "?colour"), ("run_id=1", "?run_id"),
    ])
    func whatIsWrongIsTold(query: String, pointer: String) async throws {
        try await Site.with { site in
            let answer = try await site.call(.get, "/v1/audit?\(query)", site.token(for: site.world.owner))
            #expect(answer.status == 422)
            #expect(answer.pointers == [pointer])
        }
    }
}
