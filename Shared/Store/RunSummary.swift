package import FoundationEssentials
package import JSON
package import Operations
internal import Postgres

/// A run as people see it in a list.
package struct RunSummary: Sendable, Hashable {
    /// Something with an id and a name that people know it by.
    package struct Named<Subject>: Sendable, Hashable {
        package let id: Identifier<Subject>
        package let name: String
    }

    /// How far it is, in items; the total is nil while it is not known.
    package struct Progress: Sendable, Hashable {
        package let done: Int
        package let total: Int?
    }

    package let id: RunID
    /// The operation's stored name; it may be one that this version does not know.
    package let operation: String
    package let state: RunState
    package let outcome: RunOutcome?
    /// Why it ended so, or why it waits.
    package let reason: RunReason?
    package let cancelRequested: Bool
    /// The summary counts as stored.
    package let counts: JSON
    /// Nil until it has recorded how far it is.
    package let progress: Progress?
    package let attempt: Int
    package let queuedAt: Date
    package let expiresAt: Date
    package let startedAt: Date?
    package let completedAt: Date?
    /// When the next attempt of a waiting run is due.
    package let nextAttemptAt: Date?
    package let workspaceID: WorkspaceID
    package let tenant: Named<Subject.Tenant>
    package let connection: Named<Subject.Connection>
    /// Nil for a run of the system.
    package let initiator: Named<Subject.User>?
    /// The schedule that started it; it may be gone since.
    package let scheduleID: ScheduleID?
    /// The run that a person repeated by this one.
    package let retryOf: RunID?
}

/// What a run was asked to do, and whether it has ended: all that a run that repeats it takes over.
package struct RepeatableRun: Sendable, Hashable {
    /// The stored name; it may be one that this version does not know.
    package let operation: String
    package let connectionID: ConnectionID
    /// What its start asked for beyond the operation's name.
    package let parameters: JSON?
    package let state: RunState
    package let outcome: RunOutcome?
}

/// A run with everything that its page shows.
package struct RunDetail: Sendable, Hashable {
    /// One line of what happened to it.
    package struct Event: Sendable, Hashable {
        package let at: Date
        /// The audit's word.
        package let action: String
        package let outcome: String?
        package let reasonCode: String?
    }

    /// The most events that are read: the latest.
    package static let eventLimit = 200

    package let summary: RunSummary
    /// What its start wrote down, and the last decision.
    package let context: JSON
    /// What its start asked for beyond the operation's name; nil when that was nothing.
    package let parameters: JSON?
    /// In the order in which they happened.
    package let timeline: [Event]
    /// How many items are in each state.
    package let items: [Ledger.Item.State: Int]
    /// The runs that repeat it, the latest first; at most 20.
    package let retries: [RunID]
}

extension RunSummary {
    init(_ row: Row) throws {
        let outcome = try row.textOrNil("outcome")
        guard outcome == nil || RunOutcome(rawValue: outcome!) != nil else {
            throw StoreError.unreadable("outcome", outcome!)
        }
        self.init(
            id: RunID(try row.uuid("id")), operation: try row.text("operation"),
            state: try row.runState("state"), outcome: outcome.flatMap(RunOutcome.init),
            reason: try row.textOrNil("reason_code").flatMap(RunReason.init(code:)),
            cancelRequested: try row.bool("cancel_requested"),
            counts: try JSON(parsing: row.bytes("counts")),
            progress: try row.intOrNil("done").map { Progress(done: $0, total: try row.intOrNil("total")) },
            attempt: try row.int("attempt"), queuedAt: try row.date("queued_at"),
            expiresAt: try row.date("expires_at"), startedAt: try row.dateOrNil("started_at"),
            completedAt: try row.dateOrNil("completed_at"),
            nextAttemptAt: try row.dateOrNil("next_attempt_at"),
            workspaceID: WorkspaceID(try row.uuid("workspace_id")),
            tenant: Named(id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            connection: Named(
                id: ConnectionID(try row.uuid("connection_id")), name: try row.text("display_name")),
            initiator: try row.uuidOrNil("initiator_id").map {
                Named(id: UserID($0), name: try row.text("initiator_name"))
            },
            scheduleID: try row.uuidOrNil("schedule_id").map(ScheduleID.init),
            retryOf: try row.uuidOrNil("retry_of").map(RunID.init))
    }
}

extension RunDetail.Event {
    init(_ row: Row) throws {
        self.init(
            at: try row.date("at"), action: try row.text("action"), outcome: try row.textOrNil("outcome"),
            reasonCode: try row.textOrNil("reason_code"))
    }
}

extension Row {
    func itemState(_ column: String) throws -> Ledger.Item.State {
        let word = try text(column)
        guard let state = Ledger.Item.State(rawValue: word) else { throw StoreError.unreadable(column, word) }
        return state
    }
}
