import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Testing

@testable import Atlas

/// Backup sets on the command line, against the real API.
@Suite struct BackupCommandTests {
    private func insert(_ starter: RunningStarter) async throws -> String {
        let id = UUID()
        let tenant = DemoWorld.tenants(large: false)[0]
        let place: [Parameter] = [.uuid(tenant.id.uuid), .uuid(id)]
        _ = try await starter.database.pool.pipeline([
            (
                """
                INSERT INTO backup_sets (tenant_id, id, connection_id, kinds, completed_at, content_hash)
                VALUES ($1::uuid, $2::uuid, $3::uuid, '{device_script,scope_tag}', now(), sha256('x'))
                """, place + [.uuid(tenant.connectionID.uuid)]
            ),
            (
                """
                INSERT INTO policy_contents (tenant_id, hash, content, secrets)
                SELECT $1::uuid, sha256(c.content), c.content, c.secrets
                FROM (VALUES ('{"n":1}'::bytea, 0), ('{"n":2}'::bytea, 2)) AS c (content, secrets)
                """, [place[0]]
            ),
            (
                """
                INSERT INTO backup_items (tenant_id, backup_id, item_id, kind, policy_id, name, type, hash)
                VALUES ($1::uuid, $2::uuid, gen_random_uuid(), 'scope_tag', '1', 'Tag', NULL, sha256('{"n":1}')),
                       ($1::uuid, $2::uuid, gen_random_uuid(), 'device_script', '2', 'Script', NULL, sha256('{"n":2}'))
                """, place
            ),
        ])
        return id.uuidString.lowercased()
    }

    @Test func setsAreListedAndShown() async throws {
        try await RunningStarter.with { starter in
            let set = try await insert(starter)
            let atlas = starter.atlas(as: "Clara Dubois")
            let list = try await atlas.run("backups", "list", "--tenant", "contoso")
            #expect(list.status == 0, "\(list.errors)")
            #expect(list.output.contains("complete"))
            #expect(list.output.contains("device script, scope tag"))
            #expect(list.output.contains(set))
            let show = try await atlas.run("backups", "show", set)
            #expect(show.status == 0, "\(show.errors)")
            let lines = show.output.split(separator: "\n")
            let script = try #require(lines.firstIndex { $0.contains("Script") })
            let tag = try #require(lines.firstIndex { $0.contains("Tag") })
            #expect(script < tag)
            let machine = try await atlas.run("backups", "show", set, "--json")
            #expect(try machine.json["items"]?.array?.count == 2)
            #expect(try machine.json["item_count"]?.integer == 2)
            #expect(try machine.json["backup_id"]?.string == set)
        }
    }

    @Test func whatIsNotThereIsSaid() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Clara Dubois")
            let none = try await atlas.run("backups", "list", "--tenant", "Fabrikam")
            #expect(none.output == "There are no backups of this tenant.\n")
            let unknown = try await atlas.run("backups", "show", UUID().uuidString)
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("Could not show the backup."))
        }
    }

    @Test func parametersGoWithAStart() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let started = try await atlas.run(
                "start", "backup.run", "--tenant", "Contoso", "--parameters", #"{"kinds":["scope_tag"]}"#,
                "--json")
            #expect(started.status == 0, "\(started.errors)")
            let run = try #require(try started.json["run_id"]?.string)
            let shown = try await atlas.run("runs", "show", run)
            #expect(shown.output.contains(#"{"kinds":["scope_tag"]}"#))
            let wrong = try await atlas.run(
                "start", "backup.run", "--tenant", "Fabrikam", "--parameters", #"{"kinds":["scope"]}"#)
            #expect(wrong.status == 1)
            #expect(wrong.errors.contains("parameters/kinds/0"), "\(wrong.errors)")
            let broken = try await atlas.run(
                "start", "backup.run", "--tenant", "Fabrikam", "--parameters", "[")
            #expect(broken.status == 2)
        }
    }
}
