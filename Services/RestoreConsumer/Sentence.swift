import JSON
import Operations
import Store

/// What people read about one item.
enum Sentence {
    /// What a preview would do.
    static func planned(_ change: Change, _ document: BackupDocument) -> String {
        if change.isEmpty { return joined(["It is as in the backup.", change.remark]) }
        var parts: [String] = []
        if change.objectID == nil {
            parts.append("It would be created with a new id.")
        } else {
            if change.content != nil || !change.actions.isEmpty {
                parts.append("Its content would be updated.")
            }
        }
        if change.assign != nil { parts.append("Its assignments would be replaced by those of the backup.") }
        return joined(parts + [change.remark, inherited(document, change)])
    }

    /// What was done.
    static func done(_ word: ItemWord, _ change: Change, _ document: BackupDocument) -> String {
        let what =
            switch word.done {
            case .created: "It was created with a new id."
            case .updated: "It was changed to what the backup says."
            default: "It was as in the backup."
            }
        return joined([what, change.remark, inherited(document, change)])
    }

    /// What a policy set assigned comes back with the policy set only.
    private static func inherited(_ document: BackupDocument, _ change: Change) -> String? {
        let count = (document.content["assignments"]?.array ?? []).count { $0["source"] == "policySets" }
        guard count > 0, change.assign != nil || change.objectID == nil else { return nil }
        return "\(count) of its assignments came from a policy set, and come back with that only."
    }

    private static func joined(_ parts: [String?]) -> String {
        parts.compactMap(\.self).joined(separator: " ")
    }
}
