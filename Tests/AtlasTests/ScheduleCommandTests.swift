import Fixtures
import ServiceKit
import FoundationEssentials
import JSON
import JobRuntime
import Operations
import Postgres
import Store
import Testing

@testable import Atlas

/// Schedules, against the real API.
@Suite struct ScheduleCommandTests {
    @Test func aScheduleIsMadeShownPausedResumedAndRemoved() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            #expect(
                try await atlas.run("schedules", "list").output
                    == "There are no schedules that you may see.\n")
            let add = [
                "schedules", "add", "compliance.snapshot", "--tenant", "Contoso", "--cron",
                "30 2 * * mon-fri",
                "--time-zone", "Europe/Zurich",
            ]
            let made = try await atlas.run(add)
            #expect(made.status == 0, "\(made.errors)")
            #expect(made.output.hasPrefix("made.\n"))
            #expect(made.output.contains("when        Monday to Friday at 02:30 (Europe/Zurich)"))
            #expect(made.output.contains("runs as     Omar Reyes"))
            #expect(made.output.contains("now         allowed"))
            let again = try await atlas.run(add + ["--json"])
            let id = try #require(try again.json["schedule_id"]?.string)
            #expect(made.output.contains(id))

            let list = try await atlas.run("schedules", "list", "--tenant", "Contoso")
            #expect(list.output.contains("Compliance snapshot"))
            #expect(list.output.contains("never"))
            #expect(list.output.contains("in "))
            #expect(try await atlas.run("schedules", "list", "--json").json["schedules"]?.array?.count == 1)

            let paused = try await atlas.run("schedules", "pause", id)
            #expect(paused.output.contains("next        paused"))
            let resumed = try await atlas.run("schedules", "resume", id)
            #expect(!resumed.output.contains("paused"))

            // Due, fired and refused: the person has lost the access.
            let owner = starter.atlas(as: "Nadia Brandt")
            let revoked = try await owner.run("access", "revoke", "--user", "Omar Reyes", "--workspace")
            #expect(revoked.status == 0, "\(revoked.errors)")
            let pool = starter.database.pool
            _ = try await pool.query("UPDATE schedules SET look_at = now(), next_due_at = now()")
            let firings = ScheduleFirings(
                pool: pool, families: [.provider], outboxLeaseSeconds: 10, makeID: UUID.timeOrdered)
            #expect(try await firings.fire().blocked == 1)
            let shown = try await owner.run("schedules", "show", id)
            #expect(shown.output.contains("blocked"))
            #expect(shown.output.contains(Presentation.sentence(.denial(.tenantNotEntitled))))
            let run = try #require(
                try await owner.run("runs", "list", "--json").json["runs"]?[0]?["run_id"]?.string)
            #expect(shown.output.contains(run))
            let explained = try await owner.run("explain", run)
            #expect(explained.status == 0, "\(explained.errors)")

            #expect(try await atlas.run("schedules", "show", id).status == 1)
            let removed = try await owner.run("schedules", "remove", id)
            #expect(removed.output == "removed. It is not due any more.\n")
            #expect(try await owner.run("schedules", "remove", id).status == 1)
        }
    }

    @Test func whatIsRefusedSaysWhy() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let bad = try await atlas.run(
                "schedules", "add", "backup.run", "--tenant", "Contoso", "--cron", "61 * * * *",
                "--time-zone", "PST")
            #expect(bad.status == 1)
            #expect(bad.errors.contains("cron has «61» as its minute"))
            #expect(bad.errors.contains("time_zone must be the IANA name"))
            let system = try await atlas.run(
                "schedules", "add", "backup.run", "--tenant", "Contoso", "--cron", "@daily", "--as-system")
            #expect(system.status == 1)
            #expect(system.errors.contains("access.manage"))
            let made = try await starter.atlas(as: "Nadia Brandt").run(
                "schedules", "add", "backup.run", "--tenant", "Contoso", "--cron", "@daily", "--as-system")
            #expect(made.status == 0, "\(made.errors)")
            #expect(made.output.contains("runs as     the system"))
            let nowhere = try await atlas.run("schedules", "add", "backup.run", "--cron", "@daily")
            #expect(nowhere.status == 2)
        }
    }
}
