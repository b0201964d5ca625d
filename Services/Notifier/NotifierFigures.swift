import Operations
import ServiceKit

/// What the notifier counts. No ids: label sets stay few.
struct NotifierFigures: Sendable {
    private let events: Counter
    private let notifications: Counter

    init(_ metrics: Metrics) {
        events = metrics.counter(
            "tenantatlas_terminal_events_total", help: "Events of ended runs that were received.",
            labels: ["result"])
        notifications = metrics.counter(
            "tenantatlas_notifications_total",
            help: "Notifications that were entered, and tries to deliver them.",
            labels: ["channel", "result"])
    }

    func received(_ result: String, _ count: Int = 1) { events.add(count, result) }

    func notified(_ channel: NotificationPolicy.Channel, _ result: String) {
        notifications.add(1, channel.rawValue, result)
    }
}
