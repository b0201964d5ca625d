import Graph
import JSON
import Operations
import Store

/// `inventory.sync`: the managed devices, the policies of all kinds and the directory's groups, as their lists show them.
///
/// They stream from the provider into the inventory. What a list that was read to its end does not show is gone; a list
/// that broke off, or could not be read, says nothing of the kind.
struct InventorySync: Sendable {
    let gateway: GraphGateway
    let ledger: Ledger
    let devices: DeviceInventory
    let policies: PolicyInventory
    let groups: DirectoryGroups

    private static let lists: [Listing] = [.devices] + PolicyKind.allCases.map(Listing.policies) + [.groups]

    /// Executes one attempt. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        let inventory = InventoryRun(gateway: gateway, ledger: ledger)
        let run = permit.execution
        return try await inventory.execute(permit, lists: Self.lists, isWhole: false) { session, progress in
            progress.total = try await deviceCount(session)
        } store: { page, _ in
            try await record(page, permit)
        } tally: { expected in
            async let devices = devices.tally(of: run)
            async let policies = policies.listedTally(of: run)
            async let groups = groups.tally(of: run)
            let tally = try await devices + policies + groups
            var counts = try await inventory.counts(run.runID, applied: tally.seen, expected: expected)
            counts[.changed] = tally.changed
            counts[.gone] = tally.gone
            return counts
        }
    }

    private func record(_ page: ListingWalk.Page, _ permit: ExecutionPermit) async throws {
        switch page.listing {
        case .devices:
            let (read, unread) = page.items.enumerated().map { offset, item in
                ListedItems.device(item, at: page.position + offset)
            }.divided()
            try await devices.record(
                read, failed: unread, isLast: page.isLast, progress: page.progress, under: permit)
        case .groups:
            let (read, unread) = page.items.enumerated().map { offset, item in
                ListedItems.group(item, at: page.position + offset)
            }.divided()
            try await groups.record(
                read, failed: unread, isLast: page.isLast, progress: page.progress, under: permit)
        case .policies(let kind):
            let surface = PolicySurface.of(kind)
            let (read, unread) = page.items.enumerated().map { offset, item in
                ListedItems.policy(item, of: surface, at: page.position + offset)
            }.divided()
            try await policies.record(
                read, of: kind, others: unread, isLast: page.isLast, progress: page.progress, under: permit)
        }
    }

    /// How many devices there should be, by the provider's own overview, which may lag: for progress only, so
    /// its absence does not matter.
    private func deviceCount(_ session: GraphSession) async throws -> Int? {
        do {
            let overview = try await session.get("/v1.0/deviceManagement/managedDeviceOverview")
            return overview["enrolledDeviceCount"]?.integer.flatMap { $0 >= 0 ? $0 : nil }
        } catch let failure as GraphFailure where !failure.failure.isRetryable {
            return nil
        }
    }
}
