import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Testing

@testable import Atlas

/// Groups on the command line, against the real API.
@Suite struct GroupCommandTests {
    @Test func theyAreFoundByName() async throws {
        try await RunningStarter.with { starter in
            let tenant = DemoWorld.tenants(large: false)[0]
            _ = try await starter.database.pool.query(
                """
                INSERT INTO directory_groups (tenant_id, connection_id, group_id, display_name, folded_name, seen_run,
                                              changed_run)
                SELECT $1::uuid, $2::uuid, 'g' || n, name, lower(name), gen_random_uuid(), gen_random_uuid()
                FROM unnest(ARRAY['Sales & Co', 'Marketing']) WITH ORDINALITY AS g (name, n)
                """, [.uuid(tenant.id.uuid), .uuid(tenant.connectionID.uuid)])
            let atlas = starter.atlas(as: "Clara Dubois")
            let all = try await atlas.run("groups", "list", "contoso")
            #expect(all.status == 0, "\(all.errors)")
            let lines = all.output.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(lines[1].hasPrefix("Marketing") && lines[1].hasSuffix("g2"))
            let found = try await atlas.run("groups", "list", "Contoso", "--name", "sales & c", "--json")
            #expect(try found.json["groups"]?.array?.compactMap { $0["group_id"]?.string } == ["g1"])
            let first = try await atlas.run("groups", "list", "Contoso", "--limit", "1")
            #expect(first.output.contains("There are more"))
            let none = try await atlas.run("groups", "list", "Fabrikam")
            #expect(none.output == "There are no such groups; «atlas start inventory.sync» reads them.\n")
        }
    }
}
