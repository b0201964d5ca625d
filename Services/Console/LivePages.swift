import FoundationEssentials

/// Sends what changes on a page, while somebody looks at it: the page's part is made again each second, and sent when it
/// says something else. And what is new in the person's inbox: a browser has few connections, so that a page holds one.
struct LivePages: Sendable {
    /// What the browser has.
    private struct Shown {
        /// The page that is made already.
        var first: SitePage?
        var text = ""
        var told: News.Told
    }

    let stream: EventStream
    let frames: Frames
    let news: News

    /// A page that can't be made any more is loaded again by the browser, and says why.
    func stream(
        _ visit: Visit, _ first: SitePage, again make: @escaping @Sendable (Visit) async throws -> SitePage
    ) -> Reply {
        stream.reply(
            to: visit, from: Shown(first: first, told: News.Told(visit)),
            farewell: ServerEvent.text("", name: "reload")
        ) { shown, visit in
            var page = shown.first
            shown.first = nil
            if page == nil { page = try? await make(visit) }
            guard let page else { return nil }
            return changes(page, visit, &shown) + (try await news.events(visit, &shown.told))
        }
    }

    /// The page's part, if the browser has another.
    private func changes(_ page: SitePage, _ visit: Visit, _ shown: inout Shown) -> String {
        let text = frames.renderLive(page, for: visit)
        guard text != shown.text else { return "" }
        shown.text = text
        return ServerEvent.text(text)
    }
}
