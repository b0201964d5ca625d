import JSON
import Operations

/// What happened to a run, in the words that people use.
enum EventWords {
    /// A line of the timeline. A word that this version does not know stays as it is.
    static func text(_ event: JSON) -> String {
        let word = event["action"]?.string ?? ""
        var text = AuditAction(rawValue: word).flatMap(known) ?? word
        if let outcome = event["outcome"]?.string { text += ": " + outcome.replacing("_", with: " ") }
        if let reason = event["reason_code"]?.string.flatMap(RunReason.init(code:)) {
            text += ". " + Presentation.sentence(reason)
        }
        return text
    }

    private static func known(_ action: AuditAction) -> String? {
        switch action {
        case .runQueued: "queued"
        case .runBegan: "began"
        case .runDivided: "divided into parts"
        case .runWaits: "waits"
        case .runBlocked: "blocked"
        case .runRepaired: "taken over by another program"
        case .runEnded: "ended"
        case .runCancelled: "cancelled"
        case .runCancelRequested: "asked to stop"
        case .callDenied: "stopped before a call to Microsoft"
        case .deadLetterRedriven: "a message of it that was refused was put into its queue again"
        case .deadLetterDropped: "a message of it that was refused was dropped"
        case .deliveryRepeated: "its notification was sent again"
        // Nothing else happens to a run.
        default: nil
        }
    }
}
