import FoundationEssentials
import Postgres
import HummingbirdCore
import Fixtures
import Operations
import Store
import Testing
import Waiting

@testable import Console

/// Pages that change by themselves.
struct LivePageTests {
    @Test func aChangeIsSentAndNothingElse() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await HeardEvents.listen(browser, "/admin/operations") { events, _ in
                try await eventually("the list as it is") { events.pages.count == 1 }
                #expect(events.pages[0].contains("Nothing has been started yet"))
                _ = try await stage.start(browser)
                try await eventually("the new run") { events.pages.count == 2 }
                #expect(events.pages[1].contains("Connection check") && events.pages[1].contains("queued"))
                let run = try await stage.runs()[0]
                _ = try await browser.post("/admin/operations/\(run)/cancel", [])
                try await eventually("its end") { events.pages.last?.contains("cancelled") == true }
            }
        }
    }

    /// A browser has few connections to a place: a page needs one.
    @Test func whatIsNewInTheInboxComesBesideThePagesChanges() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await stage.succeededRun(browser)
            try await stage.tell("a minute ago", at: 60)
            let page = "/admin/operations?q=outcome%3Asucceeded"
            try await HeardEvents.listen(browser, page + "&age=120") { events, _ in
                try await eventually("both") { !events.pages.isEmpty && !events.named("unread").isEmpty }
                #expect(events.named("ended").map { $0.contains("a minute ago") } == [true])
                try await stage.succeededRun(browser)
                try await stage.tell("just now")
                let run = try #require(try await stage.runs().last)
                try await eventually("the next one, and its run in the list") {
                    events.named("ended").last?.contains("just now") == true
                        && events.pages.last?.contains("\(run)") == true
                }
            }
        }
    }

    @Test func whoeverIsOutGetsNothingMore() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await HeardEvents.listen(browser, "/admin") { events, _ in
                try await eventually("the overview") { events.pages.count == 1 }
                _ = try await browser.post("/sign-out", [])
                try await eventually("the end") { events.named("reload").count == 1 }
            }
            // Who loses the tenant while looking at a run.
            let other = try await stage.browser(of: .operator)
            _ = try await stage.start(other)
            let run = try await stage.runs()[0]
            try await HeardEvents.listen(other, "/admin/operations/\(run)") { events, _ in
                try await eventually("the run") { events.pages.count == 1 }
                _ = try await stage.pool.query(
                    "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid",
                    [.uuid(stage.world.operator.uuid)])
                try await eventually("the end") { events.named("reload").count == 1 }
            }
        }
    }

    /// A page that is open somewhere is no sign that somebody sits there.
    @Test func lookingDoesNotProlongTheSession() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await HeardEvents.listen(browser, "/admin") { events, _ in
                try await eventually("the overview") { events.pages.count == 1 }
                _ = try await stage.pool.query(
                    "UPDATE api_tokens SET last_used_at = now() - interval '3601 seconds'")
                try await eventually("the end") { events.named("reload").count == 1 }
            }
        }
    }
}
