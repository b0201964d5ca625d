import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Testing

@testable import Starter

/// What a bulk operation would change, before it is started.
@Suite(.serialized)
struct DryRunTests {
    private func insert(_ site: Site) async throws {
        _ = try await site.pool.query(
            """
            INSERT INTO inventory_policies (tenant_id, connection_id, kind, policy_id, name, type, seen_run,
                                            changed_run, gone_at, gone_run)
            SELECT $1::uuid, $2::uuid, kind, 'p' || n, CASE WHEN n <> 9 THEN 'Wi-Fi ' || n END, 'type' || n % 2,
                   gen_random_uuid(), gen_random_uuid(), CASE WHEN n = 8 THEN now() END,
                   CASE WHEN n = 8 THEN gen_random_uuid() END
            FROM generate_series(1, 30) n, unnest(ARRAY['device_configuration', 'device_script']) kind
            WHERE n < 21 OR kind = 'device_script'
            """, [.uuid(site.world.tenant.uuid), .uuid(site.world.connection.uuid)])
    }

    private func ask(_ site: Site, _ parameters: JSON, _ operation: String = "policy.bulk_delete")
        async throws
        -> Reply
    {
        let token = try await site.token(for: site.world.people[.manager]!)
        return try await site.call(
            .post, "/v1/dry-runs", token,
            [
                "operation": .string(operation),
                "provider_connection_id": .string("\(site.world.connection)"), "parameters": parameters,
            ])
    }

    @Test func itCountsAndNamesSome() async throws {
        try await Site.with { site in
            try await insert(site)
            let all = try await ask(site, ["kind": "device_configuration", "filter": ["all": true]])
            #expect(all.status == 200, "\(all.text)")
            #expect(all["eligible"] == 19, "one is gone")
            #expect(all["not_eligible"] == [:])
            #expect(all["examples"]?.array?.count == 10)
            let some = try await ask(
                site,
                ["kind": "device_configuration", "filter": ["name_contains": "wi-fi 1", "type": "type1"]])
            #expect(some["eligible"] == 6, "1, 11, 13, 15, 17, 19")
            let named = try await ask(
                site, ["kind": "device_configuration", "items": ["p1", "p9", "p8", "p25", "x"]])
            #expect(named["eligible"] == 2)
            #expect(named["not_eligible"] == ["gone": 1, "not_in_inventory": 2])
            #expect(named["examples"] == ["Wi-Fi 1", "p9"])
            #expect(
                try await site.pool.query("SELECT count(*) FROM runs")[0].int(0) == 0, "nothing is started")
        }
    }

    @Test func whatIsWrongIsSaid() async throws {
        try await Site.with { site in
            let empty = try await ask(site, ["kind": "device_configuration", "filter": [:]])
            #expect(empty.status == 422 && empty.text.contains("/parameters/filter"))
            let other = try await ask(site, [:], "backup.run")
            #expect(other.status == 422 && other.text.contains("/operation"))
        }
    }
}
