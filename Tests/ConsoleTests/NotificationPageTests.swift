import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Testing
import WebFixtures

@testable import Console

/// The inbox, webhooks, deliveries, the own address, dead letters and saved views, on a real Starter.
struct NotificationPageTests {
    private func first(_ pattern: Regex<(Substring, Substring)>, in text: String) throws -> String {
        String(try #require(text.firstMatch(of: pattern)).1)
    }

    @Test func theInboxIsFilteredAndRead() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            _ = try await stage.start(browser)
            let run = try await stage.runs()[0]
            try await NotificationThings.make(stage, run, for: stage.world.operator)
            _ = try await stage.pool.query(
                "UPDATE runs SET state = 'completed', outcome = 'blocked', completed_at = now()")
            let page = try await browser.get("/admin/notifications").text
            #expect(page.contains("Connection check on Tenant 1 ended") && page.contains("Not read: "))
            #expect(page.contains("/admin/operations/\(run)"))
            for (word, isThere) in [("blocked", true), ("failed", false), ("unread", true)] {
                let found = try await browser.get("/admin/notifications?show=\(word)").text
                #expect(found.contains("on Tenant 1 ended") == isThere, "\(word)")
            }
            // What came after the page was made stays unread.
            let before = Timestamp(Date().addingTimeInterval(-60)).description
            _ = try await browser.post("/admin/notifications", [("until", before)])
            #expect(try await browser.get("/admin/notifications").text.contains("Not read: "))
            let until = try first(#/name="until" value="([^"]+)"/#, in: page)
            let reply = try await browser.post("/admin/notifications", [("until", until)])
            #expect(reply.status == 303)
            let read = try await browser.get("/admin/notifications").text
            #expect(!read.contains("Not read: ") && !read.contains("Mark all as read"))
            #expect(read.contains("<span class=\"unread\" data-unread></span>"))
        }
    }

    @Test func aWebhookIsMadeRotatedSwitchedAndRemoved() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            let address = "/admin/notifications/webhooks"
            let wrong = try await browser.post(
                address,
                [("change", "add"), ("label", "keep me"), ("url", "ftp://x"), ("signing", "hmac_sha256")])
            #expect(wrong.status == 422 && wrong.text.contains("The address must be an https:// address"))
            #expect(wrong.text.contains("value=\"keep me\"") && wrong.text.contains("value=\"ftp://x\""))
            let made = try await browser.post(
                address,
                [
                    ("change", "add"), ("label", "tickets <1>"),
                    ("url", "https://tickets.example.com/hook?key=abc"),
                    ("signing", "hmac_sha256"), ("user", "\(stage.world.operator)"),
                ])
            #expect(made.status == 200)
            let secret = try first(#/<code>(whsec_[^<]+)<\/code>/#, in: made.text)
            let list = try await browser.get(address).text
            #expect(list.contains("tickets &lt;1&gt;") && list.contains("https://tickets.example.com"))
            #expect(!list.contains(secret) && !list.contains("key=abc"))
            let id = try first(#/name="webhook" value="([0-9a-f-]+)"/#, in: list)
            func fields(_ change: String) -> [(String, String)] { [("change", change), ("webhook", id)] }
            #expect(try await browser.post(address, fields("disable")).status == 303)
            let off = try await browser.get(address).text
            #expect(off.contains("somebody switched it off") && off.contains("Switch on"))
            #expect(try await browser.post(address, fields("enable")).status == 303)
            let asked = try await browser.post(address, fields("rotate")).text
            #expect(asked.contains("another key?"))
            let rotated = try await browser.post(address, fields("rotate") + [("confirm", "yes")])
            let other = try first(#/<code>(whsec_[^<]+)<\/code>/#, in: rotated.text)
            #expect(other != secret)
            #expect(try await browser.get(address).text.contains("2 keys sign now"))
            #expect(try await browser.post(address, fields("remove")).text.contains("Remove the webhook"))
            #expect(try await browser.post(address, fields("remove") + [("confirm", "yes")]).status == 303)
            #expect(try await browser.get(address).text.contains("There is none yet."))
        }
    }

    @Test func aDeliveryShowsItsTriesAndIsSentOnceMore() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            _ = try await stage.start(browser)
            let run = try await stage.runs()[0]
            let things = try await NotificationThings.make(stage, run, for: stage.world.owner)
            let address = "/admin/notifications/deliveries"
            let page = try await browser.get(address).text
            #expect(page.contains("given up") && page.contains("the receiver refused it (reply 451)"))
            let fields = [("delivery", "\(things.delivery)"), ("back", "\(address)?run=\(run)")]
            func told(_ reply: CollectedResponse) -> String {
                reply.cookie("notice").flatMap(SessionSeal(browser.session!).opened).flatMap(Notice.init)?
                    .text
                    ?? ""
            }
            #expect(told(try await browser.post(address, fields)).contains("Nobody wants this any more"))
            _ = try await browser.post(
                "\(NotificationTabs.Part.email.href)",
                [("change", "set"), ("address", "nadia@example.com"), ("enabled", "yes")])
            let again = try await browser.post(address, fields)
            #expect(again.location == "\(address)?run=\(run)" && told(again) == "It is sent once more now.")
            #expect(try await browser.get(address).text.contains("waiting"))
        }
    }

    @Test func thePersonsOwnAddress() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .readonly)
            let address = NotificationTabs.Part.email.href
            let wrong = try await browser.post(
                address, [("change", "set"), ("address", "rita"), ("enabled", "yes")])
            #expect(wrong.status == 422 && wrong.text.contains("must be an e-mail address"))
            #expect(wrong.text.contains("value=\"rita\""))
            _ = try await browser.post(address, [("change", "set"), ("address", "rita@example.com")])
            let page = try await browser.get(address).text
            #expect(page.contains("value=\"rita@example.com\"") && !page.contains("value=\"yes\" checked"))
            #expect(try await stage.count("SELECT count(*) FROM email_settings WHERE NOT enabled") == 1)
            _ = try await browser.post(address, [("change", "remove")])
            #expect(try await stage.count("SELECT count(*) FROM email_settings") == 0)
            #expect(try await !browser.get(address).text.contains("rita@example.com"))
        }
    }

    @Test func aDeadLetterIsWishedBackOrDropped() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            _ = try await stage.start(browser)
            let run = try await stage.runs()[0]
            let things = try await NotificationThings.make(stage, run, for: stage.world.owner)
            let letter = ("letter", "\(things.deadLetter)")
            let page = try await browser.get("/admin/dead-letters").text
            #expect(page.contains("a program refused it for good") && page.contains("Put back"))
            let asked = try await browser.post("/admin/dead-letters", [("change", "drop"), letter])
            #expect(asked.status == 200 && asked.text.contains("Why, for the audit"))
            let missing = try await browser.post(
                "/admin/dead-letters", [("change", "drop"), ("confirm", "yes"), letter])
            #expect(missing.status == 422 && missing.text.contains("Say why"))
            #expect(try await stage.count("SELECT count(*) FROM dead_letters WHERE wish IS NOT NULL") == 0)
            for _ in 0..<2 {
                _ = try await browser.post("/admin/dead-letters", [("change", "redrive"), letter])
            }
            let wished = try await browser.get("/admin/dead-letters").text
            #expect(wished.contains("is being put back") && wished.contains("as operator wants it"))
            #expect(!wished.contains("value=\"redrive\""))
            let audit = try await stage.pool.query(
                "SELECT actor_id, run_id FROM audit WHERE action = 'dead_letter.wished'")
            #expect(audit.count == 1, "the same again does nothing")
            #expect(try audit[0].uuid(0) == stage.world.operator.uuid && audit[0].uuid(1) == run.uuid)
            _ = try await browser.post(
                "/admin/dead-letters",
                [("change", "drop"), ("confirm", "yes"), ("note", "forged, T-4711"), letter])
            #expect(
                try await stage.count(
                    "SELECT count(*) FROM dead_letters WHERE wish = 'drop' AND note = 'forged, T-4711'") == 1)
            #expect(try await browser.get("/admin/dead-letters").text.contains("is being dropped"))
        }
    }

    /// What names no run is counted for those who manage access to everything, and nobody else reads of it.
    @Test func whatNamesNoRunIsOnlyCounted() async throws {
        try await ConsoleStage.with { stage in
            _ = try await stage.pool.query(
                """
                INSERT INTO dead_letters (queue, digest, count, size, type)
                VALUES ('jobs.provider', repeat('0', 64), 3, 10, 'theirs')
                """)
            let owner = try await stage.browser(of: .owner).get("/admin/dead-letters").text
            #expect(owner.contains("3 more name no run of any workspace") && !owner.contains("theirs"))
            let reader = try await stage.browser(of: .readonly).get("/admin/dead-letters").text
            #expect(!reader.contains("no run of any workspace"))
        }
    }

    @Test func aFilterIsKeptAndRemoved() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let plain = try await browser.get("/admin/operations").text
            #expect(!plain.contains("Keep this view"))
            let filtered = try await browser.get("/admin/operations?q=outcome:blocked").text
            #expect(filtered.contains("Keep this view"))
            #expect(
                try await !browser.get("/admin/operations?q=outcome:green").text.contains("Keep this view"))
            let views = "/admin/operations/views"
            let kept = try await browser.post(
                views, [("change", "keep"), ("name", "Mine & bad"), ("q", "outcome:blocked by:me")])
            #expect(kept.location == "/admin/operations?q=outcome%3Ablocked%20by%3Ame")
            let page = try await browser.get("/admin/operations?q=outcome:blocked%20by:me").text
            #expect(page.contains("Mine &amp; bad") && !page.contains("Keep this view"))
            #expect(
                try await browser.post(views, [("change", "keep"), ("name", "x"), ("q", "")]).status == 422)
            // Another filter under the same name takes its place, and nobody else sees it.
            _ = try await browser.post(
                views, [("change", "keep"), ("name", "Mine & bad"), ("q", "outcome:failed")])
            #expect(try await stage.count("SELECT count(*) FROM saved_views") == 1)
            let other = try await stage.browser(of: .owner)
            #expect(try await !other.get("/admin/operations").text.contains("Mine &amp; bad"))
            let own = try await browser.get("/admin/operations").text
            let id = try first(#/name="view" value="([0-9a-f-]+)"/#, in: own)
            #expect(try await other.post(views, [("change", "remove"), ("view", id)]).status == 404)
            #expect(try await browser.post(views, [("change", "remove"), ("view", id)]).status == 303)
            #expect(try await !browser.get("/admin/operations").text.contains("Mine &amp; bad"))
        }
    }

    /// Those who manage access see when it took effect.
    @Test func whatWasTakenAwayStandsOnTheOverview() async throws {
        try await ConsoleStage.with { stage in
            let owner = try await stage.browser(of: .owner)
            _ = try await owner.post(
                "/admin/access",
                [("change", "revoke"), ("user", "\(stage.world.people[.readonly]!)"), ("confirm", "yes")])
            _ = try await owner.post(
                "/admin/access",
                [("change", "freeze"), ("tenant", "\(stage.world.tenants[1])"), ("confirm", "yes")])
            let page = try await owner.get("/admin").text
            #expect(page.contains("What was taken away last") && page.contains("access taken away"))
            #expect(page.contains(">readonly</a>") && page.contains("off the wire"))
            #expect(page.contains("frozen") && page.contains("everybody"))
            let keeper = try await Visitor.enter(
                stage, "keeper", tenant: stage.world.tenants[1], .manager)
            let theirs = try await stage.browser(of: keeper).get("/admin").text
            #expect(theirs.contains("frozen") && !theirs.contains("access taken away"))
            let none = try await stage.browser(of: .operator).get("/admin").text
            #expect(!none.contains("What was taken away last"))
        }
    }
}
