import Graph
import Operations
import Store

/// `restore.execute` and `restore.assignments`: previews, or restores, the selected items of a backup set, and no other
/// object.
struct RestoreRun: Sendable {
    let gateway: GraphGateway
    let ledger: Ledger
    let backups: BackupReading
    /// How long the provider's lists may lag behind what was written.
    let listLag: Duration

    /// Executes one attempt. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        let run = permit.execution
        let type = permit.definition.type
        guard let parameters = try? RestoreParameters(run.parameters, for: type) else {
            return .failed(.internalError, SummaryCounts())
        }
        guard let selection = try await Selection.read(parameters, for: run, from: backups) else {
            return .failed(.notFound, Self.counts([], of: parameters.items?.count ?? 0, parameters.mode))
        }
        do {
            let session = try await gateway.session(under: permit)
            let tenant = LiveTenant(session)
            // In this run, and at each attempt: a connection may have been pointed elsewhere since the backup.
            try await tenant.check()
            let planner = ItemPlanner(
                tenant: tenant, parameters: parameters, settleTime: gateway.limits.call + listLag)
            var attempt = RestoreAttempt(
                selection: selection, session: session, planner: planner, ledger: ledger, backups: backups,
                permit: permit, rows: try await rows(of: run.runID))
            try await attempt.work()
            return .completed(try await counts(permit, selection, parameters))
        } catch {
            let result = try await ExecutionResult(endingWith: error) {
                try await counts(permit, selection, parameters)
            }
            guard let result else { throw error }
            return result
        }
    }

    private func rows(of run: RunID) async throws -> [Ledger.Recorded] {
        try await ledger.items(of: run, limit: Selection.limit)
    }

    private func counts(
        _ permit: ExecutionPermit, _ selection: Selection, _ parameters: RestoreParameters
    ) async throws -> SummaryCounts {
        let items = try await rows(of: permit.execution.runID).map(\.item)
        return Self.counts(items, of: selection.items.count, parameters.mode)
    }

    /// The counts of a run with so many selected items. Of an execution, applied, untouched, failed and in doubt are
    /// the total; of a preview, what would be done and what would not.
    static func counts(
        _ items: [Ledger.Item], of total: Int, _ mode: RestoreParameters.Mode
    ) -> SummaryCounts {
        var counts = SummaryCounts()
        counts[.total] = total
        if mode == .execute { for key in [SummaryCounts.Key.applied, .failed] { counts[key] = 0 } }
        for item in items {
            switch item.state {
            case .applied:
                counts[.applied] += 1
                if let key = key(item.result) { counts[key] += 1 }
            case .failed: counts[.failed] += 1
            case .inDoubt: counts[.inDoubt] += 1
            case .planned: counts[key(item.result) ?? .notRestorable] += 1
            case .skipped: counts[.skipped] += 1
            case .untouched: counts[.untouched] += 1
            }
        }
        counts[.untouched] += total - items.count
        return counts
    }

    private static func key(_ result: String?) -> SummaryCounts.Key? {
        switch result.flatMap(ItemWord.init) {
        case .created: .created
        case .updated: .updated
        case .unchanged: .unchanged
        case .create: .toCreate
        case .update: .toUpdate
        case .creating, .updating: nil
        case nil: result == Obstacle.Kind.conflict.rawValue ? .conflict : nil
        }
    }
}
