import Graph
import Operations
import Store

/// `policy.sync`: the policies of all kinds with their settings and assignments, as versions. An unchanged policy makes
/// no new one.
struct PolicySync: Sendable {
    let gateway: GraphGateway
    let ledger: Ledger
    let policies: PolicyInventory

    /// Executes one attempt. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        let inventory = InventoryRun(gateway: gateway, ledger: ledger)
        let run = permit.execution
        let lists = PolicyKind.allCases.map(Listing.policies)
        return try await inventory.execute(permit, lists: lists, isWhole: true) { page, session in
            guard case .policies(let kind) = page.listing else { return }
            let read = try await PolicyPage.read(page, of: .of(kind), session)
            try await policies.record(
                read.policies, unread: read.unread, of: kind, others: read.others, cleared: read.cleared,
                isLast: page.isLast, progress: page.progress, under: permit)
        } tally: { expected in
            let tally = try await policies.versionTally(of: run)
            var counts = try await inventory.counts(run.runID, applied: tally.seen, expected: expected)
            counts[.changed] = tally.changed
            counts[.gone] = tally.gone
            return counts
        }
    }
}
