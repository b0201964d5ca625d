/// Who is told that a run ended, and by which ways.
package enum NotificationPolicy {
    /// The ways a person can be told.
    package enum Channel: String, Sendable, CaseIterable {
        case inbox, webhook, email
    }

    /// The initiator, or nobody: a run of the system notifies no person (H12).
    package static func recipient(of event: TerminalEvent) -> UserID? { event.initiatorID }
}
