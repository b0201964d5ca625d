import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Starter

/// Pages of lists.
@Suite(.serialized)
struct ListTests {
    /// Inserts ended runs, the oldest first, and returns their ids.
    private func insertRuns(
        _ count: Int, _ site: Site, at index: Int = 0, outcome: RunOutcome = .succeeded
    ) async throws -> [String] {
        let ids = (0..<count).map { _ in timeOrderedID() }
        _ = try await site.pool.query(
            """
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, outcome, attempt,
                              context, queued_at, expires_at, completed_at)
            SELECT id, $2::uuid, $3::uuid, $4::uuid, 'inventory.sync', 'completed', $5, 1, '{}', now(), now(),
                   now()
            FROM unnest($1::uuid[]) AS r (id)
            """,
            [
                .uuids(ids), .uuid(site.world.workspace.uuid), .uuid(site.world.tenants[index].uuid),
                .uuid(site.world.connections[index].uuid), .text(outcome.rawValue),
            ])
        return ids.map { $0.uuidString.lowercased() }
    }

    /// Reads a list to its end, and does something between the pages.
    private func readAll(
        _ path: String, _ site: Site, _ token: String, list: String, key: String,
        between: () async throws -> Void = {}
    ) async throws -> [String] {
        var found: [String] = []
        var cursor = ""
        // Far more pages than any list here has: a list that never ends must fail.
        for _ in 0..<100 {
            let reply = try await site.call(.get, path + cursor, token)
            guard reply.status == 200 else { throw Unexpected(reply: reply.text) }
            found += reply.ids(list, key)
            guard let next = reply["next"]?.string else {
                #expect(reply.headers[.link] == nil)
                return found
            }
            #expect(reply.headers[.link]?.contains("cursor=\(next)>; rel=\"next\"") == true)
            cursor = (path.contains("?") ? "&" : "?") + "cursor=\(next)"
            try await between()
        }
        throw Unexpected(reply: "\(path) does not end")
    }

    @Test(arguments: [1, 3, 5, 23, 50])
    func pagesAreCompleteWithoutRepeatsWhileRunsAreAdded(_ limit: Int) async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            var expected = try await insertRuns(13, site)
            expected += try await insertRuns(10, site, at: 1)
            for path in ["/v1/runs?limit=\(limit)"] {
                let found = try await readAll(path, site, token, list: "runs", key: "run_id") {
                    _ = try await insertRuns(3, site)
                }
                #expect(found == expected.reversed())
            }
        }
    }

    @Test func filtersHoldOnEveryPage() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let good = try await insertRuns(7, site)
            let failed = try await insertRuns(5, site, outcome: .failed)
            let other = try await insertRuns(4, site, at: 1, outcome: .failed)
            let active = "\(try await site.start(token))"
            let first = "tenant_id=\(site.world.tenant)"
            let cases: [(String, [String])] = [
                ("outcome=failed", failed + other), ("\(first)&outcome=failed", failed),
                ("\(first)&state=completed", good + failed), ("state=queued", [active]),
                ("\(first)&state=queued", [active]), ("state=running", []),
                ("state=queued&outcome=failed", []), ("operation=provider.connection.check", [active]),
                ("operation=inventory.sync&outcome=succeeded", good),
                ("state=queued&operation=inventory.sync", []),
            ]
            for (query, expected) in cases {
                let found = try await readAll(
                    "/v1/runs?limit=2&\(query)", site, token, list: "runs", key: "run_id")
                #expect(found == expected.reversed(), "\(query)")
            }
        }
    }

    @Test func onlyWhatTheCallerIsEntitledToIsListed() async throws {
        try await Site.with { site in
            let foreign = try await World.make(in: site.pool)
            let hidden = try await insertRuns(3, site)
            let seen = try await insertRuns(3, site, at: 1)
            let guest = site.world.stranger
            _ = try await AuthorityChanges(pool: site.pool, makeID: UUID.init).grant(
                user: guest, tenant: site.world.tenants[1], role: .readonly, in: site.world.workspace,
                by: .system)
            let token = try await site.token(for: guest)
            let runs = try await site.call(.get, "/v1/runs", token)
            #expect(runs.ids("runs", "run_id") == seen.reversed())
            let tenants = try await site.call(.get, "/v1/tenants", token)
            #expect(tenants.ids("tenants", "tenant_id") == ["\(site.world.tenants[1])"])
            #expect(tenants["tenants"]?[0]?["capabilities"] == ["provider.view", "operations.view"])
            let connections = try await site.call(.get, "/v1/provider-connections", token)
            #expect(
                connections.ids("provider_connections", "provider_connection_id")
                    == ["\(site.world.connections[1])"])

            let other = try await site.token(for: foreign.owner, in: foreign.workspace)
            let all = try await site.call(.get, "/v1/runs", other)
            #expect(all.ids("runs", "run_id").isEmpty)
            for id in hidden { #expect(!runs.text.contains(id)) }
        }
    }

    @Test func tenantsAndConnectionsHavePages() async throws {
        try await Site.with(tenants: 7) { site in
            let token = try await site.token(for: site.world.readonlyPerson)
            let tenants = try await readAll(
                "/v1/tenants?limit=2", site, token, list: "tenants", key: "tenant_id")
            #expect(tenants == site.world.tenants.map(\.description).sorted())
            let connections = try await readAll(
                "/v1/provider-connections?limit=3", site, token, list: "provider_connections",
                key: "provider_connection_id")
            #expect(connections == site.world.connections.map(\.description).sorted())
        }
    }

    @Test func theInboxIsTheCallersOwnAndFollowsTheAccess() async throws {
        try await Site.with { site in
            let user = site.world.operator
            let runs = try await insertRuns(3, site) + insertRuns(2, site, at: 1)
            _ = try await site.pool.query(
                """
                INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
                SELECT id, channel, workspace_id, tenant_id,
                       CASE WHEN tenant_id = $1::uuid THEN $2::uuid ELSE $3::uuid END, 'title', 'body', '{}'
                FROM runs, unnest(ARRAY['inbox', 'email']) AS c (channel)
                """,
                [.uuid(site.world.tenant.uuid), .uuid(user.uuid), .uuid(site.world.owner.uuid)])
            let token = try await site.token(for: user)
            let found = try await readAll(
                "/v1/notifications?limit=2", site, token, list: "notifications", key: "run_id")
            #expect(found == runs.prefix(3).reversed())
            _ = try await AuthorityChanges(pool: site.pool, makeID: UUID.init).apply(
                .revokeMembership(user: user, tenant: nil), in: site.world.workspace, by: .system)
            let later = try await site.call(.get, "/v1/notifications", token)
            #expect(later.ids("notifications", "run_id").isEmpty)
        }
    }
}

extension World {
    var readonlyPerson: UserID { people[.readonly]! }
}
