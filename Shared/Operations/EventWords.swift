/// What happened to a run, in the words that people use.
package enum EventWords {
    /// A line of the timeline. A word that this version does not know stays as it is.
    package static func text(_ word: String, outcome: String?, reasonCode: String?) -> String {
        var text = AuditAction(rawValue: word).flatMap(known) ?? word
        if let outcome { text += ": " + outcome.replacing("_", with: " ") }
        if let reason = reasonCode.flatMap(RunReason.init(code:)) {
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
        case .deadLetterWished: "somebody wants its dead letter put back or dropped"
        case .deadLetterRedriven: "its dead letter was put back"
        case .deadLetterDropped: "its dead letter was dropped"
        case .deliveryRepeated: "its notification was sent again"
        // Nothing else happens to a run.
        default: nil
        }
    }
}
