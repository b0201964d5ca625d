import Graph
import Operations
import Store

/// `backup.run`: the policies of the chosen kinds with everything that a restore needs, as a backup set. Two backups of
/// an unchanged tenant have the same content, byte by byte.
struct BackupRun: Sendable {
    let gateway: GraphGateway
    let ledger: Ledger
    let backups: BackupSets

    /// Executes one attempt. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        let inventory = InventoryRun(gateway: gateway, ledger: ledger)
        let run = permit.execution
        guard let parameters = try? BackupParameters(run.parameters) else {
            return .failed(.internalError, SummaryCounts())
        }
        let lists = parameters.kinds.map(Listing.policies)
        return try await inventory.execute(permit, lists: lists, isWhole: true) { _, _ in
            try await backups.open(parameters.kinds, under: permit)
        } store: { page, session in
            guard case .policies(let kind) = page.listing else { return }
            let read = try await PolicyPage.read(page, of: .of(kind), session)
            try await backups.record(
                read.policies, of: kind, others: read.others, cleared: read.cleared, progress: page.progress,
                under: permit)
        } finish: {
            try await backups.complete(under: permit)
        } tally: { expected in
            let count = try await backups.count(of: run)
            return try await inventory.counts(run.runID, applied: count, expected: expected)
        }
    }
}
