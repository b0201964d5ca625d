import FoundationEssentials
import Hummingbird
import NIOCore
import ServiceKit
import ServiceLifecycle
import Store

/// Sends what changes on a page, while somebody looks at it (server-sent events): the page's part is made again each
/// second, and sent when it says something else. Who looks is asked for again each time: whoever was signed out, disabled
/// or lost the tenant gets nothing more.
struct LivePages: Sendable {
    private static let interval = Duration.seconds(1)
    /// After so many intervals without news a comment keeps the connection open.
    private static let quietLimit = 15
    /// The browser connects again by itself after this time.
    private static let lengthLimit = Duration.seconds(600)

    let principals: Principals
    let frames: Frames

    func stream(
        _ visit: Visit, _ first: SitePage, again make: @escaping @Sendable (Visit) async throws -> SitePage
    ) -> Reply {
        Reply(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                try await send(visit, first, make, to: &writer)
                try await writer.finish(nil)
            })
    }

    private func send(
        _ visit: Visit, _ first: SitePage, _ make: @Sendable (Visit) async throws -> SitePage,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        let end = ContinuousClock.now + Self.lengthLimit
        var last = frames.renderLive(first, for: visit)
        try await writer.write(Self.event(last))
        var quiet = 0
        while ContinuousClock.now < end, !Task.isShuttingDownGracefully {
            try await Task.sleep(for: Self.interval)
            guard let visit = try await stillHere(visit), let page = try? await make(visit) else {
                // The browser loads the page, which says why.
                return try await writer.write(ByteBuffer(string: "event: reload\ndata:\n\n"))
            }
            let text = frames.renderLive(page, for: visit)
            if text != last {
                try await writer.write(Self.event(text))
                (last, quiet) = (text, 0)
            } else if quiet >= Self.quietLimit {
                try await writer.write(ByteBuffer(string: ":\n\n"))
                quiet = 0
            } else {
                quiet += 1
            }
        }
    }

    /// The visitor as of now. To look at a page is no sign that somebody sits there: it does not prolong the session.
    private func stillHere(_ visit: Visit) async throws -> Visit? {
        guard let token = BearerToken(visit.secret),
            let principal = try await principals.standing(hash: token.hash)
        else { return nil }
        return Visit(principal, secret: visit.secret, visit.request, now: Date())
    }

    private static func event(_ text: String) -> ByteBuffer {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return ByteBuffer(string: lines.map { "data: \($0)\n" }.joined() + "\n")
    }
}
