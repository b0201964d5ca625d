import Fixtures
import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Operations
import Postgres
import Synchronization
import Testing
import Waiting
import WebFixtures

@testable import Console

/// What a person is told while a page is open, and what of it is counted in the navigation.
struct NewsTests {
    private final class Events: Sendable {
        private let text = Mutex("")
        func add(_ piece: String) { text.withLock { $0 += piece } }
        var all: [String] {
            text.withLock { $0 }.components(separatedBy: "\n\n").filter { !$0.isEmpty && $0 != ":" }
        }
        func named(_ name: String) -> [String] { all.filter { $0.contains("event: \(name)\n") } }
    }

    private func listen(
        _ browser: Browser, age: String = "", _ body: (Events, Task<Void, any Error>) async throws -> Void
    ) async throws {
        let events = Events()
        let response = await browser.response(.get, "/admin/notifications/news\(age)")
        #expect(response.headers[.contentType] == "text/event-stream")
        let listening = Task { try await CollectedResponse.follow(response, events.add) }
        try await body(events, listening)
        listening.cancel()
        _ = await listening.result
    }

    private func tell(_ stage: ConsoleStage, _ title: String, at: Double = 0) async throws {
        _ = try await stage.pool.query(
            """
            INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event, created_at)
            SELECT id, 'inbox', workspace_id, tenant_id, initiator_id, $1, '', '{}',
                   clock_timestamp() - make_interval(secs => $2::float8)
            FROM runs ORDER BY id DESC LIMIT 1
            """, [.text(title), .double(at)])
    }

    private func start(_ stage: ConsoleStage, _ browser: Browser) async throws {
        _ = try await stage.start(browser)
        _ = try await stage.pool.query(
            "UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = now()")
    }

    @Test func anEndIsToldOnce() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await start(stage, browser)
            let other = try await stage.browser(of: .owner)
            try await listen(browser) { events, _ in
                try await listen(other) { others, _ in
                    try await eventually("both listen") {
                        events.named("unread").count == 1 && others.named("unread").count == 1
                    }
                    try await tell(stage, "It <b>ended</b>")
                    try await eventually("the end and the count") {
                        events.named("ended").count == 1 && events.named("unread").count == 2
                    }
                    let told = events.named("ended")[0]
                    #expect(told.contains("It &lt;b&gt;ended&lt;/b&gt;") && told.contains("View run"))
                    #expect(told.contains("succeeded") && told.contains("id: "))
                    #expect(events.named("unread").last?.hasSuffix("data: 1") == true)
                    // Another one shows that nothing was told twice meanwhile.
                    try await start(stage, browser)
                    try await tell(stage, "Another")
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
            try await start(stage, browser)
            try await tell(stage, "long ago", at: 300)
            try await start(stage, browser)
            try await tell(stage, "a minute ago", at: 60)
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
            try await start(stage, browser)
            try await listen(browser) { events, listening in
                try await eventually("it listens") { events.named("unread").count == 1 }
                // Who lost the tenant does not hear its name.
                _ = try await stage.pool.query(
                    "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid",
                    [.uuid(stage.world.operator.uuid)])
                try await tell(stage, "secret")
                _ = try await browser.post("/sign-out", [])
                // It ends by itself.
                try await listening.value
                #expect(events.named("ended").isEmpty)
            }
            #expect(await browser.response(.get, "/admin/notifications/news").status == .seeOther)
        }
    }
}
