import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Testing

@testable import Atlas

/// Starting, looking and stopping, against the real API.
@Suite struct RunCommandTests {
    private static let end: Statement = """
        UPDATE runs SET state = 'completed', outcome = $2, started_at = queued_at, reason_code = $3,
                        completed_at = clock_timestamp()
        WHERE id = $1::uuid
        """

    private func end(
        _ run: String, as outcome: RunOutcome, _ reason: RunReason? = nil, on starter: RunningStarter
    ) async throws {
        _ = try await starter.database.pool.query(
            Self.end,
            [
                .uuid(try #require(RunID(run)).uuid), .text(outcome.rawValue),
                reason.map { .text($0.code) } ?? .null,
            ])
    }

    private func start(_ atlas: AtlasProcess, _ tenant: String) async throws -> String {
        let started = try await atlas.run("start", "compliance.snapshot", "--tenant", tenant, "--json")
        #expect(started.status == 0, "\(started.errors)")
        return try #require(try started.json["run_id"]?.string)
    }

    @Test func startedTwiceItIsOneRun() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let first = try await atlas.run(
                "start", "compliance.snapshot", "--tenant", "contoso", "--wait-limit", "30m", "--key", "T-1")
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output.hasPrefix("queued.\nView run: atlas runs show "))
            let run = try #require(first.output.split(separator: " ").last?.dropLast())
            let second = try await atlas.run("start", "compliance.snapshot", "--tenant", "Contoso")
            #expect(second.status == 0)
            #expect(second.output.contains("nothing was started twice"))
            #expect(second.output.contains(run))

            let busy = try await atlas.run("start", "provider.connection.check", "--tenant", "Contoso")
            #expect(busy.status == 1)
            #expect(busy.errors.contains("Could not start «Connection check»."))
            #expect(busy.errors.contains("Next: See it with «atlas runs show \(run)»."))
            let machine = try await atlas.run(
                "start", "provider.connection.check", "--tenant", "Contoso", "--json")
            #expect(machine.error?["problem"]?["active_run"]?["run_id"]?.string == String(run))
        }
    }

    @Test func whatIsRefusedSaysWhy() async throws {
        try await RunningStarter.with { starter in
            let reader = try await starter.atlas(as: "Clara Dubois")
                .run("start", "compliance.snapshot", "--tenant", "Contoso")
            #expect(reader.status == 1)
            #expect(reader.errors.contains("provider.run"))
            let atlas = starter.atlas(as: "Omar Reyes")
            let unknown = try await atlas.run("start", "make.coffee", "--tenant", "Contoso")
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("operation is none of"))
            let nowhere = try await atlas.run("start", "compliance.snapshot", "--tenant", "Acme")
            #expect(nowhere.status == 1)
            #expect(nowhere.errors.contains("You may see: Adventure Works, Contoso"))
            let tooLong = try await atlas.run(
                "start", "compliance.snapshot", "--tenant", "Contoso", "--wait-limit", "300d")
            #expect(tooLong.errors.contains("wait_limit_seconds must be from"))
            _ = try await starter.atlas(as: "Nadia Brandt").run("access", "suspend", "--tenant", "Contoso")
            let suspended = try await atlas.run("start", "compliance.snapshot", "--tenant", "Contoso")
            #expect(suspended.status == 1)
            #expect(suspended.errors.contains(Presentation.sentence(.denial(.tenantSuspended))))
            #expect(
                suspended.errors.contains(
                    "Next: " + Presentation.remedy(.denial(.tenantSuspended), isOver: true)))
        }
    }

    @Test func aRunIsListedShownExplainedAndCancelled() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Priya Nair")
            let run = try await start(atlas, "Litware")
            let list = try await atlas.run("runs", "list", "--tenant", "Litware", "--state", "queued")
            #expect(list.output.contains("Compliance snapshot"))
            #expect(list.output.contains("Priya Nair"))
            #expect(list.output.contains(run))
            #expect(!list.output.contains("\u{1B}"), "no colours into a pipe")
            let others = try await atlas.run("runs", "list", "--tenant", "Contoso")
            #expect(others.output == "There are no such runs.\n")

            let shown = try await atlas.run("runs", "show", run, "--exact")
            #expect(shown.output.contains("connection  Litware Intune"))
            #expect(shown.output.contains(" UTC"))
            let explained = try await atlas.run("explain", run)
            #expect(explained.status == 0, "\(explained.errors)")
            #expect(explained.output.contains("Now\n  ✓ allowed"))
            #expect(explained.output.contains("Nothing stands in the way."))

            let cancelled = try await atlas.run("runs", "cancel", run)
            #expect(cancelled.output.hasPrefix("cancelled. It had not begun.\n"))
            let again = try await atlas.run("runs", "cancel", run)
            #expect(again.status == 1)
            #expect(again.errors.contains("stays as it ended"))
            let watched = try await atlas.run("runs", "watch", run)
            #expect(watched.status == 1)
            #expect(watched.output.hasPrefix("– cancelled  Compliance snapshot on Litware\n"))
            let elsewhere = try await atlas.run("runs", "show", UUID().uuidString)
            #expect(elsewhere.status == 1)
        }
    }

    @Test func watchingEndsWithTheRun() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let good = try await start(atlas, "Contoso")
            let seen = try await atlas.run(["runs", "watch", good]) { line in
                if line.contains("queued  Compliance") { try await end(good, as: .succeeded, on: starter) }
            }
            #expect(seen.status == 0)
            #expect(seen.output.hasPrefix("○ queued  Compliance snapshot on Contoso\n✓ succeeded"))
            let read = try await atlas.run("runs", "watch", good, "--json")
            #expect(read.status == 0)
            #expect(try read.json["outcome"] == "succeeded")

            let bad = try await start(atlas, "Contoso")
            try await end(bad, as: .failed, .failure(.credentialExpired), on: starter)
            let failed = try await atlas.run("runs", "watch", bad)
            #expect(failed.status == 1)
            #expect(failed.output.contains("credential has expired"))

            let endless = try await start(atlas, "Contoso")
            let givenUp = try await atlas.run("runs", "watch", endless, "--timeout", "1s")
            #expect(givenUp.status == 1)
            #expect(givenUp.errors.contains("atlas runs watch \(endless)"))
            let arguments = ["start", "compliance.snapshot", "--tenant", "Litware", "--watch"]
            let followed = try await atlas.run(arguments) { line in
                guard let run = line.firstMatch(of: #/runs show (\S+)/#)?.1 else { return }
                try await end(String(run), as: .succeeded, on: starter)
            }
            #expect(followed.status == 0, "\(followed.errors)")
            #expect(followed.output.contains("✓ succeeded  Compliance snapshot on Litware"))
        }
    }

    @Test func whatFailedIsRetried() async throws {
        try await RunningStarter.with { starter in
            let first = try await start(starter.atlas(as: "Omar Reyes"), "Contoso")
            let atlas = starter.atlas(as: "Priya Nair")
            let early = try await atlas.run("runs", "retry", first)
            #expect(early.status == 1)
            #expect(early.errors.contains("has not ended"))
            try await end(first, as: .failed, .failure(.credentialExpired), on: starter)
            let retried = try await atlas.run("runs", "retry", first, "--key", "T-1")
            #expect(retried.status == 0, "\(retried.errors)")
            #expect(retried.output.hasPrefix("queued.\nView run: atlas runs show "))
            let second = String(try #require(retried.output.split(separator: " ").last).dropLast())
            let again = try await atlas.run("runs", "retry", first, "--key", "T-1", "--json")
            #expect(try again.json["run_id"]?.string == second)
            let shown = try await atlas.run("runs", "show", second)
            #expect(shown.output.contains("retry of    \(first)"))
            #expect(shown.output.contains("started by  Priya Nair"))
            let old = try await atlas.run("runs", "show", first)
            #expect(old.output.contains("retried by  \(second)"))
            let watched = try await atlas.run(["runs", "retry", first, "--key", "T-1", "--watch"]) { line in
                if line.contains("View run") { try await end(second, as: .succeeded, on: starter) }
            }
            #expect(watched.status == 0, "\(watched.errors)")
            let done = try await atlas.run("runs", "retry", second)
            #expect(done.status == 1)
            #expect(done.errors.contains("nothing to retry"))
        }
    }

    @Test func theInboxIsOnesOwn() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            let empty = try await atlas.run("notifications")
            #expect(empty.output == "Your inbox is empty.\n")
            let run = try await start(atlas, "Contoso")
            _ = try await starter.database.pool.query(
                """
                INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
                SELECT id, 'inbox', workspace_id, tenant_id, initiator_id, 'It is done', 'All good.', '{}'
                FROM runs WHERE id = $1::uuid
                """, [.uuid(try #require(RunID(run)).uuid)])
            let mine = try await atlas.run("notifications")
            #expect(
                mine.output
                    == "It is done  just now\n  All good.\n  View run: atlas runs show \(run)\n")
            #expect(try await starter.atlas(as: "Priya Nair").run("notifications").output == empty.output)
        }
    }

    @Test func whoeverIsNobodyIsToldHowToGetAToken() async throws {
        try await RunningStarter.with { starter in
            let nobody = try await starter.atlas(as: "not a token").run("runs", "list")
            #expect(nobody.status == 1)
            #expect(nobody.errors.contains("atlas tokens issue"))
            #expect(!nobody.errors.contains("not a token"))
            var astray = starter.atlas(as: "Omar Reyes")
            astray.environment["STARTER_URL"] = "http://127.0.0.1:1/"
            let away = try await astray.run("runs", "list")
            #expect(away.status == 3)
            #expect(away.errors.contains("Check STARTER_URL"))
        }
    }
}
