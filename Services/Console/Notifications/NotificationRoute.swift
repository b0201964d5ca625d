/// Where people read what they were told, and say how they want to be told. A form is sent to the page that shows it.
enum NotificationRoute: Sendable, Hashable {
    case inbox, news, webhooks, deliveries, email
    case markRead, changeWebhooks, redeliver, changeEmail

    /// The page with these parts of its path; nil when there is none.
    init?(page parts: [String]) {
        guard parts.starts(with: ["admin", "notifications"]) else { return nil }
        switch parts.dropFirst(2) {
        case []: self = .inbox
        case ["news"]: self = .news
        case ["webhooks"]: self = .webhooks
        case ["deliveries"]: self = .deliveries
        case ["email"]: self = .email
        default: return nil
        }
    }

    /// The action with these parts of its path; nil when there is none.
    init?(action parts: [String]) {
        guard let page = Self(page: parts) else { return nil }
        switch page {
        case .inbox: self = .markRead
        case .webhooks: self = .changeWebhooks
        case .deliveries: self = .redeliver
        case .email: self = .changeEmail
        default: return nil
        }
    }
}
