import Operations
import Store

/// What a person reads about a run that has ended, in the one vocabulary.
struct NotificationText: Sendable, Hashable {
    /// For instance «Connection check of Contoso succeeded».
    let title: String
    /// What happened, who could do what about it, and what was counted. Empty when there is nothing to add.
    let body: String

    init(_ run: EndedRun) {
        let event = run.event
        let label = OperationCatalogue.definition(named: event.operation)?.label ?? "An operation"
        let what =
            run.scheduleID == nil ? label : "Scheduled \(label.prefix(1).lowercased())\(label.dropFirst())"
        title = "\(what) of \(run.tenantName) \(Self.predicate(event.outcome))"
        body = (Self.explanation(event.reason) + Self.schedule(run) + Self.figures(event.counts))
            .joined(separator: " ")
    }

    private static func predicate(_ outcome: RunOutcome) -> String {
        let label = Presentation.badge(state: .completed, outcome: outcome, isWaiting: false).label
        return switch outcome {
        case .succeeded, .partiallySucceeded, .failed: label
        case .blocked, .cancelled: "was \(label)"
        }
    }

    private static func explanation(_ reason: RunReason?) -> [String] {
        guard let reason else { return [] }
        return [Presentation.sentence(reason), Presentation.remedy(reason, isOver: true)]
    }

    /// Why those who manage access read of it, and not at every due moment.
    private static func schedule(_ run: EndedRun) -> [String] {
        guard let schedule = run.scheduleID, run.event.outcome == .blocked else { return [] }
        return [
            "Its schedule \(schedule) goes on, and nobody is told again until it has worked or was changed;"
                + " «atlas schedules show \(schedule)» shows it."
        ]
    }

    private static func figures(_ counts: SummaryCounts) -> [String] {
        let counted = SummaryCounts.Key.allCases.filter { counts[$0] > 0 }
            .map { "\($0.rawValue.replacing("_", with: " ")) \(counts[$0])" }
        return counted.isEmpty ? [] : ["In numbers: \(counted.joined(separator: ", "))."]
    }
}

extension Deliveries.Notice {
    /// What people read when a webhook was switched off by itself.
    static func webhookEnded(_ label: String, _ ending: Deliveries.Ending) -> Self {
        let why =
            switch ending {
            case .gone: "Its receiver answered that it is gone for good (410)."
            case .failing:
                "Nothing could be delivered to it for \(Int(Deliveries.patienceSeconds / 86_400)) days."
            }
        return Self(
            title: "The webhook «\(label)» was switched off",
            body: why + " When its receiver is well again, switch it on with «atlas webhooks enable»;"
                + " «atlas notifications deliveries» shows what was not delivered.")
    }
}
