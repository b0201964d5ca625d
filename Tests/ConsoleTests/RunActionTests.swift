import FoundationEssentials
import Postgres
import Fixtures
import Operations
import Store
import Testing
import WebFixtures

@testable import Console

/// What people start and stop with the console.
struct RunActionTests {
    @Test func aDoubleClickStartsOneRun() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let page = try await browser.get("/admin/provider-connections/\(stage.world.connection)")
            let keys = page.text.matches(of: #/name="key" value="([^"]+)"/#).map { String($0.1) }
            #expect(keys.count == 5 && Set(keys).count == 5)
            // Nothing was started: the same page has the same keys.
            let again = try await browser.get("/admin/provider-connections/\(stage.world.connection)")
            #expect(again.text.matches(of: #/name="key" value="([^"]+)"/#).map { String($0.1) } == keys)
            let fields = [
                ("connection", "\(stage.world.connection)"), ("operation", "provider.connection.check"),
                ("key", keys[0]), ("back", "/admin/provider-connections/\(stage.world.connection)"),
            ]
            async let first = browser.post("/admin/operations/start", fields)
            async let second = browser.post("/admin/operations/start", fields)
            for reply in [try await first, try await second] {
                #expect(reply.status == 303)
                let notice = try #require(
                    reply.cookie("notice").flatMap(SessionSeal(browser.session!).opened).flatMap(Notice.init))
                #expect(notice.tone == .good && notice.text == "Connection check: queued.")
                #expect(notice.link?.href == "/admin/operations/\(try await stage.runs()[0])")
            }
            #expect(try await stage.runs().count == 1)
        }
    }

    @Test func anotherOperationOnTheSameConnectionIsTold() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            _ = try await stage.start(browser)
            let reply = try await browser.post(
                "/admin/operations/start",
                [
                    ("connection", "\(stage.world.connection)"), ("operation", "inventory.sync"),
                    ("key", "another"),
                ])
            let notice = try #require(
                reply.cookie("notice").flatMap(SessionSeal(browser.session!).opened).flatMap(Notice.init))
            #expect(notice.tone == .bad && notice.text.contains("is under way on this connection"))
            #expect(notice.link?.href == "/admin/operations/\(try await stage.runs()[0])")
        }
    }

    @Test func aRunIsCancelledAndStartedAgain() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            _ = try await stage.start(browser)
            let run = try await stage.runs()[0]
            let queued = try await browser.get("/admin/operations/\(run)")
            #expect(queued.text.contains("/cancel") && !queued.text.contains("/retry"))
            #expect(try await browser.post("/admin/operations/\(run)/cancel", []).status == 303)
            let cancelled = try await browser.get("/admin/operations/\(run)")
            #expect(cancelled.text.contains("cancelled") && cancelled.text.contains("/retry"))
            let key = try #require(
                cancelled.text.firstMatch(of: #/name="key" value="([^"]+)"/#).map { String($0.1) })
            for _ in 0..<2 {
                #expect(
                    try await browser.post("/admin/operations/\(run)/retry", [("key", key)]).status == 303)
            }
            #expect(try await stage.runs().count == 2)
        }
    }

    /// Nothing is done before the person has seen with what.
    @Test func manyRunsAreChangedAfterALook() async throws {
        try await ConsoleStage.with(tenants: 3) { stage in
            let browser = try await stage.browser(of: .operator)
            for connection in stage.world.connections { _ = try await stage.start(browser, on: connection) }
            let runs = try await stage.runs()
            _ = try await browser.post("/admin/operations/\(runs[0])/cancel", [])
            let look = try await browser.post(
                "/admin/operations", [("change", "cancel"), ("all", "yes"), ("q", "")])
            #expect(look.status == 200 && look.text.contains("2 of these would be cancelled"))
            #expect(look.text.contains("stays: It has ended already."))
            #expect(try await stage.count("SELECT count(*) FROM runs WHERE completed_at IS NULL") == 2)
            let chosen = look.text.matches(of: #/name="run" value="([^"]+)"/#).map { ("run", String($0.1)) }
            #expect(Set(chosen.map(\.1)) == Set(runs.dropFirst().map { "\($0)" }))
            let done = try await browser.post(
                "/admin/operations", [("change", "cancel"), ("confirm", "yes")] + chosen)
            #expect(done.status == 303)
            #expect(try await stage.count("SELECT count(*) FROM runs WHERE completed_at IS NULL") == 0)
            // All three again, by their ticks.
            let ticked = runs.map { ("run", "\($0)") }
            let again = try await browser.post("/admin/operations", [("change", "retry")] + ticked)
            #expect(again.text.contains("3 of these would be started again"))
            for _ in 0..<2 {
                _ = try await browser.post(
                    "/admin/operations",
                    [("change", "retry"), ("confirm", "yes"), ("key", "a")] + ticked)
            }
            #expect(try await stage.runs().count == 6)
        }
    }

    @Test func nothingChosenIsTold() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let reply = try await browser.post("/admin/operations", [("change", "cancel")])
            #expect(reply.status == 422 && reply.text.contains("Choose at least one run."))
        }
    }
}
