package import FoundationEssentials
package import Operations

/// Which runs a list shows: those that fulfil everything that is set.
package struct RunFilter: Sendable, Hashable {
    package var workspace: WorkspaceID
    /// On which of its tenants. Whoever asks has decided that these may be seen.
    package var tenants: [TenantID]
    package var state: RunState?
    package var outcome: RunOutcome?
    /// The stored name.
    package var operation: String?
    /// Why it ended so, or why it waits.
    package var reason: RunReason?
    /// Whether it has a reason: with the state «queued», whether it waits.
    package var isWaiting: Bool?
    package var initiator: UserID?
    /// Only runs without an initiator.
    package var isOfSystem = false
    package var connection: ConnectionID?
    /// Only runs that were queued at this time or later.
    package var since: Date?
    /// Only runs that are older than this one: where the page before ended.
    package var before: RunID?
    /// The most runs of the page; itself at most ``Page/limit``.
    package var limit: Int

    package init(workspace: WorkspaceID, tenants: [TenantID], limit: Int) {
        self.workspace = workspace
        self.tenants = tenants
        self.limit = limit
    }

    /// As many tenants as are looked up one by one.
    private static let fewTenants = 8

    /// Which index leads to the runs.
    enum Way: String {
        case none, tenants, active, outcome, initiator, operation, workspace
    }

    var way: Way {
        if let state, state != .completed {
            // What is active has no outcome.
            return outcome == nil ? .active : .none
        }
        if tenants.count <= Self.fewTenants { return .tenants }
        if initiator != nil { return .initiator }
        if let outcome, outcome != .succeeded { return .outcome }
        return operation == nil ? .workspace : .operation
    }
}

extension UUID {
    /// Below every time-ordered id (version 7) that is made at `date` or later.
    init(lowestAt date: Date) {
        let milliseconds = UInt64(max(0, date.timeIntervalSince1970) * 1_000)
        func byte(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: milliseconds >> shift) }
        self.init(
            uuid: (byte(40), byte(32), byte(24), byte(16), byte(8), byte(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    }
}
