import FoundationEssentials
import Operations
import Store

/// What is new in a person's inbox: how many entries are not read, beside its name in the navigation; and, to a browser
/// that has a page of the console open, each end of a run of theirs, once.
struct News: Sendable {
    /// What was told so long before the page was made is told, too: while one page is left for the next, nobody listens.
    /// The browser knows what it has shown. In seconds.
    private static let overlap = 15.0
    /// The oldest page that is told what it missed, in seconds.
    private static let ageLimit = 86_400

    /// What a browser was told.
    struct Told {
        fileprivate let since: Date
        fileprivate var entries: Set<DeliveryID> = []
        fileprivate var mark: Inbox.Mark?
        fileprivate var unread: Int?

        /// Nothing yet, to a page that is as old as its browser says, in seconds.
        init(_ visit: Visit) {
            let age = visit.query["age"].flatMap { Int($0) } ?? 0
            since = visit.now.addingTimeInterval(-Double(min(max(0, age), News.ageLimit)) - News.overlap)
        }
    }

    let inbox: Inbox
    let access: AccessReading
    let stream: EventStream
    let frames: Frames

    /// How many entries of the visitor's inbox are not read; at most ``Inbox/countLimit``.
    func unread(_ visit: Visit) async throws -> Int {
        try await inbox.unread(of: visit.principal.userID, on: visible(visit))
    }

    private func visible(_ visit: Visit) async throws -> [TenantID] {
        try await Access.tenants(of: visit.principal, holding: .operationsView, access)
    }

    /// Tells until the browser goes away; of a tenant that the visitor lost nothing more. For a page that does not change by
    /// itself: the others tell it beside their changes (``LivePages``).
    func stream(_ visit: Visit) -> Reply {
        stream.reply(to: visit, from: Told(visit)) { told, visit in try await events(visit, &told) }
    }

    /// What is new since the last call.
    func events(_ visit: Visit, _ told: inout Told) async throws -> String {
        let user = visit.principal.userID
        let mark = try await inbox.mark(of: user)
        guard mark != told.mark else { return "" }
        told.mark = mark
        let visible = try await visible(visit)
        var events = ""
        for entry in try await inbox.news(of: user, on: visible, since: told.since)
        where told.entries.insert(entry.id).inserted {
            events += ServerEvent.text(
                frames.renderPart("news", InboxRow(entry, now: visit.now)), name: "ended",
                id: "\(entry.id)")
        }
        let unread = try await inbox.unread(of: user, on: visible)
        if unread != told.unread {
            told.unread = unread
            events += ServerEvent.text(UnreadCount.text(unread), name: "unread")
        }
        return events
    }
}

/// How many entries of the inbox are not read, as the navigation shows it.
enum UnreadCount {
    /// Empty for none; «99+» for more than that.
    static func text(_ count: Int) -> String {
        count == 0 ? "" : count < Inbox.countLimit ? "\(count)" : "\(Inbox.countLimit - 1)+"
    }
}
