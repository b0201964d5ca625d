import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Atlas

/// Webhooks, deliveries and mails, against the real API.
@Suite struct WebhookCommandTests {
    @Test func aWebhookIsMadeRotatedSwitchedAndRemoved() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Nadia Brandt")
            #expect(try await atlas.run("webhooks", "list").output == "There are no webhooks.\n")
            let made = try await atlas.run(
                "webhooks", "add", "https://tickets.example.com/hook?token=hidden", "--label", "tickets",
                "--user",
                "Omar Reyes")
            #expect(made.status == 0, "\(made.errors)")
            #expect(made.output.hasPrefix("made.\n"))
            #expect(made.output.contains("tells of  runs that Omar Reyes started"))
            #expect(made.output.contains("leads to  https://tickets.example.com/…"))
            #expect(made.output.contains("It is shown this once.") && made.output.contains("  whsec_"))

            let list = try await atlas.run("webhooks", "list")
            #expect(list.output.contains("tickets") && list.output.contains("HMAC-SHA256"))
            #expect(!list.output.contains("whsec") && !list.output.contains("hidden"))
            let id = try #require(
                try await atlas.run("webhooks", "list", "--json").json["webhooks"]?[0]?["webhook_id"]?.string)

            let rotated = try await atlas.run("webhooks", "rotate", id, "--overlap", "2d")
            #expect(rotated.output.contains("key 2") && rotated.output.contains("signs until"))
            #expect(rotated.output.contains("  whsec_"))
            let anew = try await atlas.run("webhooks", "rotate", id, "--at-once", "--json")
            #expect(try anew.json["keys"]?.array?.count == 1)
            #expect(try await atlas.run("webhooks", "rotate", id, "--overlap", "8d").status == 2)

            let off = try await atlas.run("webhooks", "disable", id)
            #expect(off.output.contains("off: somebody switched it off"))
            #expect(try await atlas.run("webhooks", "enable", id).output.contains("now       on\n"))
            let removed = try await atlas.run("webhooks", "remove", id)
            #expect(removed.output == "removed. Nothing more is sent to it.\n")
            #expect(try await atlas.run("webhooks", "remove", id).status == 1)

            let pair = try await atlas.run(
                "webhooks", "add", "https://siem.example.com/", "--label", "SIEM", "--signing", "ed25519")
            #expect(pair.output.contains("whpk_") && !pair.output.contains("whsk_"))
            let refused = try await starter.atlas(as: "Omar Reyes").run(
                "webhooks", "add", "https://x.example/", "--label", "x")
            #expect(refused.status == 1 && refused.errors.contains("notifications.manage"))
            let wrong = try await atlas.run("webhooks", "add", "http://x.example/", "--label", "x")
            #expect(wrong.status == 1 && wrong.errors.contains("url must be an https:// address"))
        }
    }

    @Test func theHistoryIsShownAndOneTryMoreAskedFor() async throws {
        try await RunningStarter.with { starter in
            let (omar, nadia) = (starter.atlas(as: "Omar Reyes"), starter.atlas(as: "Nadia Brandt"))
            let started = try await omar.run(
                "start", "provider.connection.check", "--tenant", "Contoso", "--json")
            let run = try #require(try started.json["run_id"]?.string)
            #expect(
                try await omar.run("notifications", "deliveries", run).output
                    == "Nothing was sent by webhooks or e-mail.\n")
            _ = try await starter.database.pool.query(
                """
                WITH told AS (
                    INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event,
                                               attempts, given_up_at)
                    SELECT id, 'email', workspace_id, tenant_id, initiator_id, 'It ended', '', '{}', 1, now()
                    FROM runs RETURNING id
                )
                INSERT INTO delivery_tries (notification_id, attempt, status, result)
                SELECT id, 1, 550, 'refused' FROM told
                """)
            let shown = try await omar.run("notifications", "deliveries", run)
            #expect(shown.output.contains("It ended  given up\n"))
            #expect(shown.output.contains("by e-mail, for Omar Reyes\n"))
            #expect(shown.output.contains("refused (550)"))
            #expect(try await omar.run("notifications", "deliveries").status == 1)
            let id = try #require(
                try await nadia.run("notifications", "deliveries", "--json").json["deliveries"]?[0]?[
                    "delivery_id"]?
                    .string)

            let denied = try await omar.run("notifications", "redeliver", id)
            #expect(denied.status == 1 && denied.errors.contains("notifications.manage"))
            let unwanted = try await nadia.run("notifications", "redeliver", id)
            #expect(unwanted.status == 1 && unwanted.errors.contains("Nobody wants this any more"))
            let to = try await omar.run("notifications", "email", "--to", "omar@example.com")
            #expect(to.output == "You are told by e-mail to omar@example.com.\n", "\(to.errors)")
            let again = try await nadia.run("notifications", "redeliver", id)
            #expect(again.status == 0 && again.output.contains("waiting"), "\(again.errors)")
            #expect(again.output.contains("next try"))
            let watched = try await omar.run("runs", "show", run)
            #expect(watched.output.contains("its notification was sent again"))
        }
    }

    @Test func mailsAreSwitchedByWhoeverGetsThem() async throws {
        try await RunningStarter.with { starter in
            let atlas = starter.atlas(as: "Omar Reyes")
            #expect(
                try await atlas.run("notifications", "email").output == "You are not told by e-mail.\n")
            _ = try await atlas.run("notifications", "email", "--to", "omar@example.com")
            #expect(
                try await atlas.run("notifications", "email", "--off").output
                    == "You are not told by e-mail. omar@example.com is kept.\n")
            let forgotten = try await atlas.run("notifications", "email", "--forget", "--json")
            #expect(try forgotten.json["address"]?.isNull == true)
            #expect(try await atlas.run("notifications", "email", "--to", "nowhere").status == 1)
            #expect(try await atlas.run("notifications", "email", "--off", "--forget").status == 2)
            #expect(try await atlas.run("notifications", "--limit", "5").output == "Your inbox is empty.\n")
        }
    }
}
