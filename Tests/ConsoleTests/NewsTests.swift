import Fixtures
import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Operations
import Postgres
import Testing
import Waiting
import WebFixtures

@testable import Console

/// What a person is told while a page is open, and what of it is counted in the navigation.
struct NewsTests {
    private func listen(
        _ browser: Browser, age: String = "",
        _ body: (HeardEvents, Task<Void, any Error>) async throws -> Void
    ) async throws {
        try await HeardEvents.listen(browser, "/admin/notifications/news\(age)", body)
    }

    @Test func anEndIsToldOnce() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await stage.succeededRun(browser)
            let other = try await stage.browser(of: .owner)
            try await listen(browser) { events, _ in
                try await listen(other) { others, _ in
                    try await eventually("both listen") {
                        events.named("unread").count == 1 && others.named("unread").count == 1
                    }
                    try await stage.tell("It <b>ended</b>")
                    try await eventually("the end and the count") {
                        events.named("ended").count == 1 && events.named("unread").count == 2
                    }
                    let told = events.named("ended")[0]
                    #expect(told.contains("It &lt;b&gt;ended&lt;/b&gt;") && told.contains("View run"))
                    #expect(told.contains("succeeded") && told.contains("id: "))
                    #expect(events.named("unread").last?.hasSuffix("data: 1") == true)
                    // Another one shows that nothing was told twice meanwhile.
                    try await stage.succeededRun(browser)
                    try await stage.tell("Another")
                    try await eventually("the other one") { events.named("ended").count == 2 }
                    #expect(events.named("ended")[1].contains("Another"))
                    _ = try await browser.post("/admin/notifications", [])
                    try await eventually("nothing is unread") {
                        events.named("unread").last?.hasSuffix("data: ") == true
                    }
                    #expect(others.all.count == 1, "nobody is told of somebody else's")
                }
            }
        }
    }

    @Test func whatWasToldSinceThePageWasMadeIsTold() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await stage.succeededRun(browser)
            try await stage.tell("long ago", at: 300)
            try await stage.succeededRun(browser)
            try await stage.tell("a minute ago", at: 60)
            let page = try await browser.get("/admin").text
            #expect(page.contains("<span class=\"unread\" data-unread>2</span>"))
            #expect(page.contains("data-news=\"/admin/notifications/news\""))
            try await listen(browser, age: "?age=120") { events, _ in
                try await eventually("what is new") { events.named("unread").count == 1 }
                #expect(events.named("ended").map { $0.contains("a minute ago") } == [true])
            }
        }
    }

    @Test func whoeverIsOutHearsNothingMore() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await stage.succeededRun(browser)
            try await listen(browser) { events, listening in
                try await eventually("it listens") { events.named("unread").count == 1 }
                // Who lost the tenant does not hear its name.
                _ = try await stage.pool.query(
                    "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid",
                    [.uuid(stage.world.operator.uuid)])
                try await stage.tell("secret")
                _ = try await browser.post("/sign-out", [])
                // It ends by itself.
                try await listening.value
                #expect(events.named("ended").isEmpty)
            }
            #expect(await browser.response(.get, "/admin/notifications/news").status == .seeOther)
        }
    }
}
