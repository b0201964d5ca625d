package import JSON

/// The parameters of `restore.execute` and `restore.assignments`:
/// `{"backup_id": "…", "items": "all" | ["…", …], "mode": "preview" | "execute", "assignments": "restore" | "leave"}`.
package struct RestoreParameters: Sendable, Hashable {
    /// Whether something is to be written.
    package enum Mode: String, Sendable, CaseIterable {
        /// Says of each item what would be done; writes nothing to the provider.
        case preview
        case execute
    }

    /// What is done about the assignments of restored items.
    package enum Assignments: String, Sendable, CaseIterable {
        /// They become those of the backup, as a whole.
        case restore
        /// They stay as they are; a policy that is created again has none. Only `restore.execute` has it.
        case leave
    }

    /// The most items that are named; a set may have more, and all of them may be selected.
    package static let itemLimit = 500

    /// The set: the run that made it.
    package let backupID: RunID
    /// The chosen items in the order of their ids; nil is all of the set.
    package let items: [Identifier<Subject.BackupItem>]?
    package let mode: Mode
    package let assignments: Assignments
    /// Whether the items' content is restored, too.
    package let isWhole: Bool
    /// As they are stored.
    package let json: JSON

    /// Reads the parameters of one of the two operations. Nothing but `assignments` may be left out, so that nobody
    /// writes by omission.
    package init(_ json: JSON?, for type: OperationType) throws(RunParameters.Refusal) {
        isWhole = type == .restoreExecute
        var reading = ParameterReading(json)
        let backup: RunID? = reading.id("backup_id")
        let items: [Identifier<Subject.BackupItem>]? = reading.ids(
            "items", orAll: Self.all, limit: Self.itemLimit)
        let mode: Mode? = reading.word("mode", isNeeded: true)
        let assignments: Assignments? = isWhole ? reading.word("assignments") : nil
        try reading.finish()
        // What was not read was noted, and thrown.
        self.backupID = backup!
        self.items = items
        self.mode = mode!
        self.assignments = assignments ?? .restore
        var stored: JSONObject = [
            "backup_id": .string("\(self.backupID)"),
            "items": items.map { .array($0.map { .string("\($0)") }) } ?? .string(Self.all),
            "mode": .string(self.mode.rawValue),
        ]
        if self.assignments == .leave { stored["assignments"] = .string(self.assignments.rawValue) }
        self.json = .object(stored)
    }

    private static let all = "all"
}
