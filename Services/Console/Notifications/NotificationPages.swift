import Postgres
import Store

/// The pages about what people are told, by their routes.
struct NotificationPages: Sendable {
    let inbox: InboxPage
    let webhooks: WebhookPage
    let deliveries: DeliveryPage
    let email: EmailPage

    init(pool: PostgresPool, starter: StarterClient) {
        let access = AccessReading(pool: pool)
        let webhooks = Webhooks(pool: pool)
        inbox = InboxPage(inbox: Inbox(pool: pool), access: access, starter: starter)
        self.webhooks = WebhookPage(
            webhooks: webhooks, users: UserReading(pool: pool), access: access, starter: starter)
        deliveries = DeliveryPage(
            deliveries: DeliveryReading(pool: pool), webhooks: webhooks, access: access, starter: starter)
        email = EmailPage(settings: EmailSettings(pool: pool), starter: starter)
    }
}

extension Site {
    func reply(to route: NotificationRoute, _ visit: Visit) async throws -> Reply {
        let pages = notifications
        switch route {
        case .inbox: return try await show(visit, pages.inbox.show)
        case .news: return news.stream(visit)
        case .webhooks: return try await show(visit, pages.webhooks.show)
        case .deliveries: return try await show(visit, pages.deliveries.show)
        case .email: return try await show(visit, pages.email.show)
        case .markRead: return try await changed(visit, pages.inbox.markRead)
        case .changeWebhooks: return try await answered(visit, pages.webhooks.change)
        case .redeliver: return try await changed(visit, pages.deliveries.redeliver)
        case .changeEmail: return try await answered(visit, pages.email.change)
        }
    }
}

/// The parts of the notifications, above each of them.
struct NotificationTabs: Sendable {
    enum Part: String, CaseIterable {
        case inbox, email, webhooks, deliveries

        var label: String {
            switch self {
            case .inbox: "Inbox"
            case .email: "E-mail"
            case .webhooks: "Webhooks"
            case .deliveries: "Deliveries"
            }
        }

        var href: String {
            let home = SitePage.Section.notifications.href
            return self == .inbox ? home : "\(home)/\(rawValue)"
        }
    }

    let tabs: [Chip]

    init(_ current: Part) {
        tabs = Part.allCases.map { Chip(label: $0.label, href: $0.href, isCurrent: $0 == current) }
    }
}
