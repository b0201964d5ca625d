import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import ServiceKit
import Store
import Testing

@testable import Starter

/// Looking for groups by their names.
@Suite(.serialized)
struct GroupTests {
    private static let names = [
        "SG-Sales-EMEA", "sales apac", "Résumé Ärzte", "All devices", "100% remote", "under_score", "Sales",
        "",
    ]

    /// Groups of the tenant's connection, with ids that are in another order than their names.
    private func insert(_ names: [String?], _ site: Site, at index: Int = 0, connection: ConnectionID? = nil)
        async throws
    {
        let ids = names.indices.map { "g\(names.count - $0)" }
        _ = try await site.pool.query(
            """
            INSERT INTO directory_groups (tenant_id, connection_id, group_id, display_name, folded_name, seen_run,
                                          changed_run)
            SELECT $1::uuid, $2::uuid, g.id, g.name, g.folded, gen_random_uuid(), gen_random_uuid()
            FROM unnest($3::text[], $4::text[], $5::text[]) AS g (id, name, folded)
            """,
            [
                .uuid(site.world.tenants[index].uuid),
                .uuid((connection ?? site.world.connections[index]).uuid), .texts(ids), .texts(names),
                .texts(names.map(DirectoryGroups.folded)),
            ])
    }

    private func path(_ site: Site, _ query: String = "") -> String {
        "/v1/tenants/\(site.world.tenant)/groups" + query
    }

    private func names(_ reply: Reply) -> [String?] {
        (reply["groups"]?.array ?? []).map { $0["display_name"]?.string }
    }

    @Test(arguments: [
        ("sales", ["Sales", "sales apac", "SG-Sales-EMEA"]),
        ("SALES", ["Sales", "sales apac", "SG-Sales-EMEA"]),
        ("sales-e", ["SG-Sales-EMEA"]), ("100%25", ["100% remote"]), ("_", ["under_score"]),
        ("%25", ["100% remote"]), ("%C3%A4rzte", ["Résumé Ärzte"]), ("nobody", []), ("%5C", []),
    ])
    func aPartOfTheNameFindsThem(_ text: String, _ found: [String]) async throws {
        try await Site.with { site in
            try await insert(Self.names, site)
            let reply = try await site.call(
                .get, path(site, "?name=\(text)"), site.token(for: site.world.readonlyPerson))
            #expect(reply.status == 200, "\(reply.text)")
            #expect(names(reply) == found)
        }
    }

    @Test func oneIsShownWithWhereItWasSeen() async throws {
        try await Site.with { site in
            try await insert(["One", nil], site)
            let reply = try await site.call(.get, path(site), site.token(for: site.world.readonlyPerson))
            let one = try #require(reply["groups"]?.array?.last)
            #expect(one.object?.keys == ["group_id", "display_name", "provider_connection", "seen_at"])
            #expect(one["group_id"] == "g2")
            #expect(one["provider_connection"]?["id"]?.string == "\(site.world.connection)")
            #expect(names(reply) == [nil, "One"])
        }
    }

    @Test(arguments: [1, 3, 7, 50])
    func pagesAreCompleteWithoutRepeats(_ limit: Int) async throws {
        try await Site.with { site in
            // Equal names, of two connections with the same ids; and one that is longer than what is sorted by.
            let long = String(repeating: "Ä", count: 300)
            try await insert(Self.names + ["Sales", "Sales", nil, long + "1", long + "2"], site)
            let second = UUID()
            _ = try await site.pool.query(
                """
                INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud, entra_tenant_id,
                                                  entra_tenant_name, client_id)
                SELECT $1::uuid, workspace_id, tenant_id, 'second', cloud, 'another', 'x', 'x'
                FROM provider_connections WHERE id = $2::uuid
                """, [.uuid(second), .uuid(site.world.connection.uuid)])
            try await insert(Self.names, site, connection: ConnectionID(second))
            try await insert(["elsewhere"], site, at: 1)
            let token = try await site.token(for: site.world.readonlyPerson)
            var found: [JSON] = []
            var next: String? = ""
            var pages = 0
            while let cursor = next, pages < 100 {
                let reply = try await site.call(
                    .get, path(site, "?limit=\(limit)" + (cursor.isEmpty ? "" : "&cursor=\(cursor)")), token)
                #expect(reply.status == 200, "\(reply.text)")
                found += reply["groups"]?.array ?? []
                next = reply["next"]?.string
                pages += 1
            }
            #expect(found.count == 2 * Self.names.count + 5)
            #expect(Set(found.map(\.text)).count == found.count)
            let sorted = found.map { ($0["display_name"]?.string ?? "").lowercased().prefix(128) }
            #expect(sorted == sorted.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        }
    }

    @Test func whatIsGoneIsLeftOut() async throws {
        try await Site.with { site in
            try await insert(["here", "gone"], site)
            _ = try await site.pool.query(
                "UPDATE directory_groups SET gone_at = now(), gone_run = seen_run WHERE display_name = 'gone'"
            )
            let reply = try await site.call(.get, path(site), site.token(for: site.world.readonlyPerson))
            #expect(names(reply) == ["here"])
        }
    }

    @Test func oddParametersAreRefused() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.readonlyPerson)
            let long = String(repeating: "x", count: 257)
            let connections = try await site.call(.get, "/v1/provider-connections?limit=1", token)
            let other = try #require(connections["next"]?.string)
            for (query, pointer) in [
                ("?name=", "?name"), ("?name=%00", "?name"), ("?name=\(long)", "?name"),
                ("?cursor=\(other)", "?cursor"), ("?cursor=\(forged("[]"))", "?cursor"),
                ("?cursor=\(forged(#"["a","b","c"]"#))", "?cursor"), ("?cursor=\(forged("x"))", "?cursor"),
                ("?q=x", "?q"),
            ] {
                let reply = try await site.call(.get, path(site, query), token)
                #expect(reply.status == 422, "\(query)")
                #expect(reply.pointers == [pointer], "\(query)")
            }
        }
    }

    /// A cursor of this list with something else in it.
    private func forged(_ key: String) -> String {
        Base64URL.encode([1, Cursor.List.groups.rawValue] + Array(key.utf8))
    }
}
