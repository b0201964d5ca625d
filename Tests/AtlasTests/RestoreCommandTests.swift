import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Testing

@testable import Atlas

/// Restores on the command line, against the real API.
@Suite struct RestoreCommandTests {
    private static let id = "0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10"

    @Test(arguments: [
        [], ["--all", "--item", id], ["--all", "--assignments-only", "--leave-assignments"], ["--item", "x"],
    ])
    func whatIsRestoredHasToBeSaidExactly(_ arguments: [String]) async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Clara Dubois")
            for mode in ["preview", "execute"] {
                let result = try await atlas.run(["restore", mode, "--backup", Self.id] + arguments)
                #expect(result.status == 2, "\(result.errors)")
            }
        }
    }

    @Test func aSetThatIsNotThereIsSaid() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Clara Dubois")
            let result = try await atlas.run(["restore", "preview", "--backup", Self.id, "--all"])
            #expect(result.status == 1)
            #expect(result.errors.contains("Could not find the backup."), "\(result.errors)")
        }
    }

    @Test func itemsOfARunAreShown() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let started = try await atlas.run(
                ["start", "provider.connection.check", "--tenant", "Contoso", "--json"])
            let run = try #require(try started.json["run_id"]?.string)
            #expect(try await atlas.run(["runs", "items", run]).output == "The run has recorded no items.\n")
            _ = try await starter.database.pool.query(
                """
                INSERT INTO run_items (run_id, item_key, state, result, label, detail)
                VALUES ($1::uuid, 'k1', 'failed', 'group_missing', 'script «A»', 'A group is gone.'),
                       ($1::uuid, 'k2', 'applied', 'created', NULL, NULL)
                """, [.uuid(try #require(UUID(uuidString: run)))])
            let shown = try await atlas.run(["runs", "items", run])
            let lines = shown.output.split(separator: "\n")
            #expect(lines.count == 3, "\(shown.output)")
            #expect(lines[1].contains("k2") && lines[1].contains("created"))
            #expect(lines[2].contains("script «A»") && lines[2].contains("group missing"))
            #expect(lines[2].hasSuffix("A group is gone."))
        }
    }
}
