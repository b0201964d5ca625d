import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Testing

@testable import Atlas

/// Bulk operations on the command line, against the real API.
@Suite struct BulkCommandTests {
    @Test func aDryRunTellsWhatWouldChange() async throws {
        try await RunningStarter.with { starter in
            let tenant = DemoWorld.tenants(large: false)[0]
            _ = try await starter.database.pool.query(
                """
                INSERT INTO inventory_devices (tenant_id, connection_id, device_id, name, seen_run, changed_run)
                SELECT $1::uuid, $2::uuid, 'd' || n, 'Laptop ' || n, gen_random_uuid(), gen_random_uuid()
                FROM generate_series(1, 1200) n
                """, [.uuid(tenant.id.uuid), .uuid(tenant.connectionID.uuid)])
            let atlas = starter.atlas(as: "Marcus Lindqvist")
            let all = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--parameters",
                #"{"filter": {"all": true}}"#)
            #expect(all.status == 0, "\(all.errors)")
            #expect(all.output.contains("1,200 would be changed. Nothing was started."))
            #expect(all.output.contains("  Laptop 1\n") && all.output.hasSuffix("  …\n"))
            let named = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--parameters",
                #"{"items": ["d1", "x"]}"#)
            #expect(named.output.contains("1 can't be: the inventory does not have it."))
            let machine = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--json", "--parameters",
                #"{"items": ["d1", "x"]}"#)
            #expect(try machine.json["eligible"] == 1)
            let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).json")
            try #"{"items": ["d7"]}"#.write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            let read = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--parameters",
                "@" + file.path)
            #expect(read.output.contains("1 would be changed"), "\(read.errors)")
            let missing = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--parameters", "@nowhere")
            #expect(missing.status == 2 && missing.errors.contains("nowhere is not there"))
            let wrong = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--watch")
            #expect(wrong.status == 2)
            let empty = try await atlas.run(
                "start", "device.bulk_sync", "--tenant", "Contoso", "--dry-run", "--parameters",
                #"{"filter": {}}"#)
            #expect(empty.status == 1 && empty.errors.contains("parameters/filter"), "\(empty.errors)")
        }
    }
}
