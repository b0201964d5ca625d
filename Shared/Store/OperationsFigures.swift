package import FoundationEssentials
package import Operations
package import Postgres

/// How a workspace's operations stand, in numbers, on those tenants that somebody may see.
package struct OperationsFigures: Sendable {
    /// How many active runs stand so, and since when the oldest of them.
    package struct Active: Sendable, Hashable {
        package let state: RunState
        /// Why they wait; nil for those that don't.
        package let reason: RunReason?
        package let count: Int
        package let oldestQueuedAt: Date
    }

    /// How many runs of an hour ended so.
    package struct Ended: Sendable, Hashable {
        /// The hour's beginning.
        package let hour: Date
        package let outcome: RunOutcome
        package let count: Int
    }

    /// How many runs ended blocked or failed for one reason.
    package struct Cause: Sendable, Hashable {
        package let outcome: RunOutcome
        package let reason: RunReason?
        package let count: Int
    }

    /// Something that is frozen now.
    package enum Frozen: Sendable, Hashable {
        case everything, workspace
        case tenant(TenantID, name: String)
        case connection(ConnectionID, name: String)
    }

    package let active: [Active]
    /// Of the hours that were asked for, those in which something ended.
    package let ended: [Ended]
    /// Of the same hours, the most frequent first.
    package let causes: [Cause]
    package let frozen: [Frozen]

    private static let activeRuns: Statement = """
        SELECT state, reason_code, count(*) AS count, min(queued_at) AS oldest
        FROM runs WHERE completed_at IS NULL AND workspace_id = $1::uuid AND tenant_id = ANY ($2::uuid[])
        GROUP BY state, reason_code
        """

    /// Runs that were queued long before the hours and ended in them are few, and left out: ids lead to the rest.
    private static let endedRuns: Statement = """
        SELECT date_trunc('hour', completed_at) AS hour, outcome, reason_code, count(*) AS count
        FROM runs
        WHERE workspace_id = $1::uuid AND id >= $3::uuid AND completed_at IS NOT NULL AND tenant_id = ANY ($2::uuid[])
        GROUP BY 1, 2, 3
        """

    private static let frozenThings: Statement = """
        SELECT 'everything' AS kind, NULL::uuid AS id, '' AS name FROM platform WHERE frozen
        UNION ALL SELECT 'workspace', id, name FROM workspaces WHERE id = $1::uuid AND frozen
        UNION ALL SELECT 'tenant', id, name FROM tenants WHERE id = ANY ($2::uuid[]) AND frozen
        UNION ALL SELECT 'connection', id, display_name FROM provider_connections
                  WHERE tenant_id = ANY ($2::uuid[]) AND frozen
        LIMIT 100
        """

    /// Reads the figures of the runs on `tenants`; of those that have ended, those that were queued since `since`.
    package static func read(
        _ pool: PostgresPool, workspace: WorkspaceID, tenants: [TenantID], since: Date
    ) async throws -> OperationsFigures {
        let place: [Parameter] = [.uuid(workspace.uuid), .uuids(tenants.map(\.uuid))]
        let results = try await pool.pipeline([
            (activeRuns, place), (endedRuns, place + [.uuid(UUID(lowestAt: since))]), (frozenThings, place),
        ])
        var hours: [Date: [RunOutcome: Int]] = [:]
        var causes: [RunOutcome: [RunReason?: Int]] = [:]
        for row in results[1] {
            guard let outcome = RunOutcome(rawValue: try row.text("outcome")) else { continue }
            let count = try row.int("count")
            hours[try row.date("hour"), default: [:]][outcome, default: 0] += count
            if outcome == .blocked || outcome == .failed {
                let reason = try row.textOrNil("reason_code").flatMap(RunReason.init(code:))
                causes[outcome, default: [:]][reason, default: 0] += count
            }
        }
        return OperationsFigures(
            active: try results[0].map { row in
                Active(
                    state: try row.runState("state"),
                    reason: try row.textOrNil("reason_code").flatMap(RunReason.init(code:)),
                    count: try row.int("count"), oldestQueuedAt: try row.date("oldest"))
            },
            ended: hours.flatMap { hour, outcomes in
                outcomes.map { Ended(hour: hour, outcome: $0.key, count: $0.value) }
            },
            causes: causes.flatMap { outcome, reasons in
                reasons.map { Cause(outcome: outcome, reason: $0.key, count: $0.value) }
            }.sorted { $0.count > $1.count },
            frozen: try results[2].compactMap(Frozen.init))
    }
}

extension OperationsFigures.Frozen {
    fileprivate init?(_ row: Row) throws {
        switch try row.text("kind") {
        case "everything": self = .everything
        case "workspace": self = .workspace
        case "tenant": self = .tenant(TenantID(try row.uuid("id")), name: try row.text("name"))
        case "connection": self = .connection(ConnectionID(try row.uuid("id")), name: try row.text("name"))
        default: return nil
        }
    }
}
