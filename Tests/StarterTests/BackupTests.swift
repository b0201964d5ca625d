import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Testing

@testable import Starter

/// Looking at backup sets.
@Suite(.serialized)
struct BackupTests {
    /// A set of `count` items of two kinds, complete unless it is a part.
    private func insert(_ count: Int, _ site: Site, at index: Int = 0, isPart: Bool = false) async throws
        -> String
    {
        let id = timeOrderedID()
        let place: [Parameter] = [.uuid(site.world.tenants[index].uuid), .uuid(id)]
        _ = try await site.pool.pipeline([
            (
                """
                INSERT INTO backup_sets (tenant_id, id, connection_id, kinds, completed_at, content_hash)
                VALUES ($1::uuid, $2::uuid, $3::uuid, '{device_script,scope_tag}',
                        CASE WHEN NOT $4::bool THEN now() END, CASE WHEN NOT $4::bool THEN '\\x00ff'::bytea END)
                """, place + [.uuid(site.world.connections[index].uuid), .bool(isPart)]
            ),
            (
                """
                INSERT INTO policy_contents (tenant_id, hash, content, secrets)
                SELECT $1::uuid, sha256(convert_to('{"n":' || n || '}', 'UTF8')), convert_to('{"n":' || n || '}', 'UTF8'), n
                FROM generate_series(1, $2::int) n ON CONFLICT DO NOTHING
                """, [place[0], .int(count)]
            ),
            (
                """
                INSERT INTO backup_items (tenant_id, backup_id, item_id, kind, policy_id, name, type, hash)
                SELECT $1::uuid, $2::uuid, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
                       CASE n % 2 WHEN 0 THEN 'scope_tag' ELSE 'device_script' END, 'p' || n, 'Name ' || n, NULL,
                       sha256(convert_to('{"n":' || n || '}', 'UTF8'))
                FROM generate_series(1, $3::int) n
                """, place + [.int(count)]
            ),
        ])
        return id.uuidString.lowercased()
    }

    @Test func setsComeNewestFirstInPages() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.people[.readonly]!)
            var sets: [String] = []
            for count in 1...3 { sets.append(try await insert(count, site)) }
            let elsewhere = try await insert(1, site, at: 1)
            let path = "/v1/tenants/\(site.world.tenant)/backups"
            let first = try await site.call(.get, path + "?limit=2", token)
            #expect(first.status == 200)
            #expect(first.ids("backups", "backup_id") == [sets[2], sets[1]])
            let next = try #require(first["next"]?.string)
            let second = try await site.call(.get, path + "?limit=2&cursor=\(next)", token)
            #expect(second.ids("backups", "backup_id") == [sets[0]])
            #expect(second["next"] == nil)
            let other = try await site.call(.get, "/v1/tenants/\(site.world.tenants[1])/backups", token)
            #expect(other.ids("backups", "backup_id") == [elsewhere])
        }
    }

    @Test func aSetHasItsItems() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let set = try await insert(5, site)
            let reply = try await site.call(.get, "/v1/backups/\(set)?limit=3", token)
            #expect(reply.status == 200)
            #expect(reply["backup_id"]?.string == set)
            #expect(reply["run_href"]?.string == "/v1/runs/\(set)")
            #expect(reply["item_count"]?.integer == 5)
            #expect(reply["kinds"] == ["device_script", "scope_tag"])
            #expect(reply["content_hash"]?.string == "00ff")
            #expect(reply["completed_at"]?.string != nil)
            #expect(reply["provider_connection"]?["id"]?.string == "\(site.world.connection)")
            let item = try #require(reply["items"]?.array?.first)
            #expect(
                item.object?.keys == [
                    "item_id", "kind", "policy_id", "name", "type", "version_id", "masked_secrets",
                ])
            #expect(item["kind"] == "device_script")
            #expect(item["name"] == "Name 1")
            #expect(item["masked_secrets"]?.integer == 1)
            #expect(item["version_id"]?.string?.count == 64)
            let next = try #require(reply["next"]?.string)
            let rest = try await site.call(.get, "/v1/backups/\(set)?cursor=\(next)", token)
            #expect(rest.ids("items", "policy_id") == ["p4", "p5"])
        }
    }

    @Test func aPartIsShownAsOne() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let set = try await insert(0, site, isPart: true)
            let reply = try await site.call(.get, "/v1/backups/\(set)", token)
            #expect(reply["completed_at"] == .null)
            #expect(reply["content_hash"] == .null)
            #expect(reply["items"] == [])
        }
    }

    @Test func otherListsCursorsAndOddParametersAreRefused() async throws {
        try await Site.with { site in
            let token = try await site.token(for: site.world.operator)
            let set = try await insert(3, site)
            _ = try await insert(3, site)
            let sets = try await site.call(.get, "/v1/tenants/\(site.world.tenant)/backups?limit=1", token)
            let next = try #require(sets["next"]?.string)
            let wrong = try await site.call(.get, "/v1/backups/\(set)?cursor=\(next)&sort=name", token)
            #expect(wrong.status == 422)
            #expect(wrong.pointers == ["?cursor", "?sort"])
        }
    }
}
