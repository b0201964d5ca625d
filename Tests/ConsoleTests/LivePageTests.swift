import FoundationEssentials
import Postgres
import HummingbirdCore
import Fixtures
import HTTPTypes
import Operations
import Store
import Synchronization
import Testing
import Waiting
import WebFixtures

@testable import Console

/// Pages that change by themselves.
struct LivePageTests {
    /// What a browser that listens has got so far.
    private final class Events: Sendable {
        private let text = Mutex("")
        func add(_ piece: String) { text.withLock { $0 += piece } }
        var all: [String] { text.withLock { $0 }.components(separatedBy: "\n\n").filter { !$0.isEmpty } }
    }

    private func listen(
        _ browser: Browser, _ path: String, _ body: (Events) async throws -> Void
    ) async throws {
        let events = Events()
        let response = await browser.response(.get, path, headers: [.accept: "text/event-stream"])
        #expect(response.headers[.contentType] == "text/event-stream")
        let listening = Task { try await CollectedResponse.follow(response, events.add) }
        try await body(events)
        listening.cancel()
        _ = await listening.result
    }

    @Test func aChangeIsSentAndNothingElse() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await listen(browser, "/admin/operations") { events in
                try await eventually("the list as it is") { events.all.count == 1 }
                #expect(events.all[0].contains("Nothing has been started yet"))
                _ = try await stage.start(browser)
                try await eventually("the new run") { events.all.count == 2 }
                #expect(events.all[1].contains("Connection check") && events.all[1].contains("queued"))
                let run = try await stage.runs()[0]
                _ = try await browser.post("/admin/operations/\(run)/cancel", [])
                try await eventually("its end") { events.all.last?.contains("cancelled") == true }
            }
        }
    }

    @Test func whoeverIsOutGetsNothingMore() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await listen(browser, "/admin") { events in
                try await eventually("the overview") { events.all.count == 1 }
                _ = try await browser.post("/sign-out", [])
                try await eventually("the end") { events.all.last?.hasPrefix("event: reload") == true }
            }
            // Who loses the tenant while looking at a run.
            let other = try await stage.browser(of: .operator)
            _ = try await stage.start(other)
            let run = try await stage.runs()[0]
            try await listen(other, "/admin/operations/\(run)") { events in
                try await eventually("the run") { events.all.count == 1 }
                _ = try await stage.pool.query(
                    "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid",
                    [.uuid(stage.world.operator.uuid)])
                try await eventually("the end") { events.all.last?.hasPrefix("event: reload") == true }
            }
        }
    }

    /// A page that is open somewhere is no sign that somebody sits there.
    @Test func lookingDoesNotProlongTheSession() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            try await listen(browser, "/admin") { events in
                try await eventually("the overview") { events.all.count == 1 }
                _ = try await stage.pool.query(
                    "UPDATE api_tokens SET last_used_at = now() - interval '3601 seconds'")
                try await eventually("the end") { events.all.last?.hasPrefix("event: reload") == true }
            }
        }
    }
}
