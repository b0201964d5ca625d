import FoundationEssentials
import Hummingbird
import NIOCore
import ServiceLifecycle
import Store

/// Tells a browser that listens (server-sent events) what changes, for as long as somebody looks at the page. Who looks is
/// asked for again each time: whoever was signed out or disabled is told nothing more.
struct EventStream: Sendable {
    private static let interval = Duration.seconds(1)
    /// After so many intervals without news a comment keeps the connection open.
    private static let quietLimit = 15
    /// The browser connects again by itself after this time.
    private static let lengthLimit = Duration.seconds(600)

    let principals: Principals

    /// Once an interval `look` gives the events that there are now (``ServerEvent``), and keeps in `State` what was told.
    /// When it gives nil, or the visitor is no longer there, `farewell` is the last event.
    func reply<State: Sendable>(
        to visit: Visit, from state: State, farewell: String = "",
        look: @escaping @Sendable (inout State, Visit) async throws -> String?
    ) -> Reply {
        Reply(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                try await send(visit, from: state, farewell, look, to: &writer)
                try await writer.finish(nil)
            })
    }

    private func send<State: Sendable>(
        _ visit: Visit, from state: State, _ farewell: String,
        _ look: @Sendable (inout State, Visit) async throws -> String?,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        let end = ContinuousClock.now + Self.lengthLimit
        var state = state
        var quiet = 0
        while ContinuousClock.now < end, !Task.isShuttingDownGracefully {
            guard let visit = try await visit.standing(principals), let events = try await look(&state, visit)
            else { return try await writer.write(ByteBuffer(string: farewell)) }
            if !events.isEmpty {
                try await writer.write(ByteBuffer(string: events))
                quiet = 0
            } else if quiet >= Self.quietLimit {
                try await writer.write(ByteBuffer(string: ServerEvent.comment))
                quiet = 0
            } else {
                quiet += 1
            }
            try await Task.sleep(for: Self.interval)
        }
    }
}
