import FoundationEssentials
import Operations

/// Backups: what is in them, how two differ, and restoring from them.
enum BackupRoute: Sendable, Hashable {
    case list, set(RunID), item(RunID, UUID), comparison
    /// Shows what a restore would do; and, when that was seen, does it.
    case preview(RunID), restore(RunID)

    /// The page with these parts of its path; nil when there is none.
    init?(page parts: [String]) {
        guard parts.starts(with: ["admin", "backups"]) else { return nil }
        let found: BackupRoute? =
            switch parts.count {
            case 2: .list
            case 3 where parts[2] == "compare": .comparison
            case 3: RunID(parts[2]).map(Self.set)
            case 4:
                RunID(parts[2]).flatMap { set in
                    Identifier<Subject.BackupItem>(parts[3]).map { .item(set, $0.uuid) }
                }
            default: nil
            }
        guard let found else { return nil }
        self = found
    }

    /// The action with these parts of its path; nil when there is none.
    init?(action parts: [String]) {
        guard parts.starts(with: ["admin", "backups"]), parts.count >= 3, let set = RunID(parts[2]) else {
            return nil
        }
        switch parts.dropFirst(3) {
        case []: self = .preview(set)
        case ["restore"]: self = .restore(set)
        default: return nil
        }
    }
}
