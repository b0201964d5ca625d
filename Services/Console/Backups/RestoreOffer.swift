import JSON
import Operations
import Store

/// That a run has shown what a restore would do, so that it can be done.
struct RestoreOffer: Sendable {
    let backup: RunID
    let operation: OperationType
    /// How many items would be written.
    let count: Int

    /// Nil for any run but a preview that succeeded.
    init?(_ run: RunDetail) {
        guard run.summary.outcome == .succeeded,
            let operation = OperationType(rawValue: run.summary.operation),
            operation == .restoreExecute || operation == .restoreAssignments,
            let parameters = try? RestoreParameters(run.parameters, for: operation),
            parameters.mode == .preview
        else { return nil }
        backup = parameters.backupID
        self.operation = operation
        let keys: [SummaryCounts.Key] = [.toCreate, .toUpdate]
        count = keys.reduce(0) { $0 + (run.summary.counts[$1.rawValue]?.integer ?? 0) }
    }

    /// What a preview's result means for its item; nil when nothing would be written.
    static func word(_ result: String?) -> String? {
        switch result {
        case "create": "created"
        case "update": "updated"
        default: nil
        }
    }
}
