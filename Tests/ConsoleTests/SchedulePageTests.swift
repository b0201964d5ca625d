import Fixtures
import FoundationEssentials
import HTTPTypes
import Operations
import Postgres
import Store
import Testing
import WebFixtures

@testable import Console

/// Making, looking at, pausing and removing what starts by itself.
struct SchedulePageTests {
    private func fields(_ stage: ConsoleStage, _ changes: [String: String] = [:]) -> [(String, String)] {
        [
            ("operation", "backup.run"), ("connection", "\(stage.world.connection)"), ("rhythm", "daily"),
            ("time", "02:30"), ("time_zone", "Europe/Zurich"), ("run_as", "me"), ("step", "save"),
        ].map { ($0.0, changes[$0.0] ?? $0.1) }
    }

    private func make(_ stage: ConsoleStage, _ browser: Browser, _ changes: [String: String] = [:])
        async throws -> String
    {
        let reply = try await browser.post("/admin/schedules/new", fields(stage, changes))
        #expect(reply.status == 303, "\(reply.text)")
        return try #require(reply.location)
    }

    private func notice(_ reply: CollectedResponse, _ browser: Browser) -> Notice? {
        reply.cookie("notice").flatMap(SessionSeal(browser.session!).opened).flatMap(Notice.init)
    }

    @Test func whenItIsDueIsShownBeforeItIsMade() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let preview = try await browser.post("/admin/schedules/new", fields(stage, ["step": ""]))
            #expect(preview.status == 200)
            #expect(preview.text.contains("every day at 02:30 (Europe/Zurich)"))
            let moments = preview.text.matches(of: #/<li><span>([0-9-]{10} 02:30:00 \+0[12]:00)<\/span>/#)
            #expect(moments.count == 5)
            #expect(try await stage.count("SELECT count(*) FROM schedules") == 0)
            // Changing it begins with what was typed.
            let again = try await browser.post(
                "/admin/schedules/new", fields(stage, ["step": "change", "time": "04:15"]))
            #expect(again.status == 200 && again.text.contains("value=\"04:15\""))

            let page = try await make(stage, browser)
            let shown = try await browser.get(page)
            #expect(shown.text.contains("every day at 02:30 (Europe/Zurich)"))
            #expect(shown.text.contains(String(moments[0].1)) && shown.text.contains("would run"))
            // Sent twice, it is made once.
            #expect(try await make(stage, browser) == page)
            #expect(try await stage.count("SELECT count(*) FROM schedules") == 1)
            let list = try await browser.get("/admin/schedules").text
            #expect(list.contains("Backup") && list.contains("href=\"\(page)\""))
        }
    }

    @Test func itIsPausedAndResumedAndRemoved() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let page = try await make(stage, browser)
            #expect(try await browser.post(page, [("change", "pause")]).location == page)
            let paused = try await browser.get(page).text
            #expect(paused.contains("paused") && paused.contains("Nothing is due."))
            #expect(try await browser.post(page, [("change", "resume")]).location == page)
            #expect(try await !browser.get(page).text.contains("Nothing is due."))

            let question = try await browser.post(page, [("change", "remove")])
            #expect(
                question.status == 200 && question.text.contains("Remove the schedule of Backup on Tenant 1?")
            )
            #expect(try await stage.count("SELECT count(*) FROM schedules") == 1)
            let removed = try await browser.post(page, [("change", "remove"), ("confirm", "yes")])
            #expect(removed.location == "/admin/schedules")
            #expect(notice(removed, browser)?.text == "The schedule was removed.")
            #expect(try await browser.get(page).status == 404)
        }
    }

    /// Whoever may not change it sees why, before trying.
    @Test func whatOthersMayNotDoIsTold() async throws {
        try await ConsoleStage.with { stage in
            let page = try await make(stage, stage.browser(of: .operator))
            let reader = try await stage.browser(of: .readonly).get(page).text
            #expect(reader.contains("To pause or remove it: Your role here does not include access.manage."))
            #expect(reader.components(separatedBy: " disabled>").count == 3, "both buttons")
            let manager = try await stage.browser(of: .manager)
            #expect(try await !manager.get(page).text.contains(" disabled>"))
            _ = try await manager.post(page, [("change", "pause")])
            let paused = try await manager.get(page).text
            #expect(paused.contains("who alone may switch it on again"))
            let refused = try await manager.post(page, [("change", "resume")])
            #expect(refused.status == 403 && refused.text.contains("another person&#39;s schedule"))
        }
    }

    /// What would become of it now is what the gate says, before it is made and after.
    @Test func itTellsWhetherItWouldRun() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let page = try await make(stage, browser, ["run_as": "system"])
            #expect(try await browser.get(page).text.contains("<dd>the system</dd>"))
            _ = try await stage.pool.query("UPDATE provider_connections SET enabled = false")
            for text in [
                try await browser.get(page).text, try await browser.get("/admin/schedules").text,
                try await browser.post("/admin/schedules/new", fields(stage, ["step": ""])).text,
            ] { #expect(text.contains("The provider connection is disabled.")) }
        }
    }

    @Test func whatItStartedIsShown() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let page = try await make(stage, browser)
            for _ in 0..<22 {
                _ = try await stage.start(browser)
                _ = try await stage.pool.query(
                    """
                    UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = now()
                    WHERE completed_at IS NULL
                    """)
            }
            _ = try await stage.pool.query("UPDATE runs SET schedule_id = (SELECT id FROM schedules)")
            let runs = try await stage.runs().map { "href=\"/admin/operations/\($0)\"" }
            let latest = try await browser.get(page).text
            #expect(runs.filter(latest.contains) == Array(runs.suffix(20)))
            let next = try #require(latest.firstMatch(of: #/<a href="([^"]+)" rel="next">Older/#)).1
            let older = try await browser.get(String(next)).text
            #expect(runs.filter(older.contains) == Array(runs.prefix(2)))
            // The run leads back to what started it.
            let run = try await browser.get("/admin/operations/\(try await stage.runs()[0])").text
            #expect(run.contains("<a href=\"\(page)\">by a schedule</a>"))
            _ = try await browser.post(page, [("change", "remove"), ("confirm", "yes")])
            let orphan = try await browser.get("/admin/operations/\(try await stage.runs()[0])").text
            #expect(orphan.contains("by a schedule") && !orphan.contains(page))
        }
    }

    @Test func whatWasTypedStaysUntilItIsRight() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let wrong = try await browser.post(
                "/admin/schedules/new",
                fields(stage, ["time": "<b>", "time_zone": "CET", "connection": "", "step": ""]))
            #expect(wrong.status == 422)
            #expect(wrong.text.contains("The time of the day must be hours and minutes"))
            #expect(wrong.text.contains("There is no time zone of this name."))
            #expect(wrong.text.contains("Choose the connection."))
            #expect(wrong.text.contains("value=\"&lt;b&gt;\"") && wrong.text.contains("value=\"CET\""))
            // Whoever does not manage access can't let it run as the system.
            #expect(wrong.text.contains("That takes access.manage"))
        }
    }
}
