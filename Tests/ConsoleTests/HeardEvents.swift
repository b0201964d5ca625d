import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Synchronization
import Testing
import WebFixtures

/// What a browser that listens has got so far.
final class HeardEvents: Sendable {
    private let text = Mutex("")

    private func add(_ piece: String) { text.withLock { $0 += piece } }

    /// Comments are no events.
    var all: [String] {
        text.withLock { $0 }.components(separatedBy: "\n\n").filter { !$0.isEmpty && $0 != ":" }
    }

    /// How the page's own part looked, each time it changed.
    var pages: [String] { all.filter { $0.hasPrefix("data: ") } }

    func named(_ name: String) -> [String] {
        all.filter { event in event.split(separator: "\n").contains("event: \(name)") }
    }

    /// Listens to `path` while `body` runs, which is given the task that ends when the console ends the stream.
    static func listen(
        _ browser: Browser, _ path: String, _ body: (HeardEvents, Task<Void, any Error>) async throws -> Void
    ) async throws {
        let events = HeardEvents()
        let response = await browser.response(.get, path, headers: [.accept: "text/event-stream"])
        #expect(response.headers[.contentType] == "text/event-stream")
        let listening = Task { try await CollectedResponse.follow(response, events.add) }
        try await body(events, listening)
        listening.cancel()
        _ = await listening.result
    }
}
