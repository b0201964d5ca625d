import FoundationEssentials
import JSON
import Operations
import Store

/// What the visitor was told: how runs ended.
struct InboxPage: Sendable {
    private static let pageLimit = 50

    let inbox: Inbox
    let access: AccessReading
    let starter: StarterClient

    /// What the template reads.
    private struct View: Sendable {
        let tabs: [Chip]
        let chips: [Chip]
        let rows: [InboxRow]
        let isEmpty: Bool
        let isFiltered: Bool
        let hasUnread: Bool
        /// When the newest row was told: what comes after it was not seen.
        let until: String
        let next: String?
        let first: String?
    }

    private static let unread = "unread"

    /// What people look for most, by the word in the address.
    private static let chips: [(label: String, word: String)] =
        [("All", ""), ("Not read", unread)]
        + RunOutcome.allCases.map { outcome in
            let badge = Presentation.badge(state: .completed, outcome: outcome, isWaiting: false)
            return (badge.label.prefix(1).uppercased() + badge.label.dropFirst(), outcome.rawValue)
        }

    func show(_ visit: Visit) async throws -> SitePage {
        let word = Self.chips.first { $0.word == visit.query["show"] }?.word ?? ""
        var filter = InboxFilter()
        filter.isUnread = word == Self.unread
        filter.outcome = RunOutcome(rawValue: word)
        let before = visit.query["before"].flatMap { DeliveryID($0) }
        let caller = visit.principal
        let visible = try await Access.tenants(of: caller, holding: .operationsView, access)
        let page = try await inbox.list(
            of: caller.userID, on: visible, filter, before: before, limit: Self.pageLimit)
        let unread = try await inbox.unread(of: caller.userID, on: visible)
        return SitePage(
            template: "inbox", title: "Notifications", section: .notifications,
            content: View(
                tabs: NotificationTabs(.inbox).tabs,
                chips: Self.chips.map {
                    Chip(label: $0.label, href: Self.address($0.word), isCurrent: $0.word == word)
                },
                rows: page.entries.map { InboxRow($0, now: visit.now) }, isEmpty: page.entries.isEmpty,
                isFiltered: !word.isEmpty || before != nil, hasUnread: unread > 0,
                until: Timestamp(page.entries.map(\.createdAt).max() ?? visit.now).description,
                next: page.hasMore
                    ? page.entries.last.map { Self.address(word, before: $0.id) } : nil,
                first: before == nil ? nil : Self.address(word)))
    }

    /// What was on the page, and all that was told before it, was read.
    func markRead(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let answer = await starter.send(
            "POST", "/v1/notifications/read", ["until": .optional(form["until"])], as: visit.secret)
        return Outcome(
            path: SitePage.Section.notifications.href,
            notice: answer.isSuccess ? nil : Notice(.bad, answer.detail))
    }

    private static func address(_ word: String, before: DeliveryID? = nil) -> String {
        let parameters = [word.isEmpty ? nil : "show=\(word)", before.map { "before=\($0)" }]
            .compactMap(\.self)
        return SitePage.Section.notifications.href
            + (parameters.isEmpty ? "" : "?\(parameters.joined(separator: "&"))")
    }
}

/// An entry of the inbox as the list and the news show it.
struct InboxRow: Sendable {
    let id: String
    /// Nil for what tells of a webhook.
    let badge: BadgeView?
    let title: String
    /// Nil when the title says it all.
    let text: String?
    let tenant: String
    let told: MomentView
    let isUnread: Bool
    let href: String
    /// How it was told elsewhere.
    let deliveries: String

    init(_ entry: InboxEntry, now: Date) {
        id = "\(entry.id)"
        badge = entry.outcome.map {
            BadgeView(Presentation.badge(state: .completed, outcome: $0, isWaiting: false))
        }
        title = entry.title
        text = entry.body.isEmpty ? nil : entry.body
        tenant = entry.tenant.name
        told = MomentView(entry.createdAt, now: now)
        isUnread = entry.readAt == nil
        href = Link.run(entry.run)
        deliveries = "\(NotificationTabs.Part.deliveries.href)?run=\(entry.run)"
    }
}
