import FoundationEssentials
import Operations
import Store

/// Where a bulk operation begins, and what came of the latest ones.
struct BulkOverview: Sendable {
    private static let latestRuns = 20

    let recent: RecentRuns
    let names: NameReading
    let access: AccessReading

    private struct View: Sendable {
        let operations: [Option]
        let connections: [Option]
        /// Whether the visitor may start one somewhere.
        let canStart: Bool
        let rows: [RunRow]
        let isEmpty: Bool
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let caller = visit.principal
        let visible = try await Access.tenants(of: caller, holding: .operationsView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.operationsView) }
        var places: Set<TenantID> = []
        var operations: [OperationType] = []
        for type in BulkWish.operations {
            let held = try await Access.tenants(
                of: caller, holding: OperationCatalogue.definition(type).capability, access)
            if !held.isEmpty { operations.append(type) }
            places.formUnion(held)
        }
        let chosen = visit.query["connection"]
        let connections = try await names.connections(of: Array(places)).map { connection in
            Option(
                value: "\(connection.id)", label: "\(connection.tenant) · \(connection.name)",
                isChosen: chosen == "\(connection.id)")
        }
        let latest = try await recent.runs(
            of: BulkWish.operations, in: caller.workspaceID, on: visible, limit: Self.latestRuns)
        return SitePage(
            template: "bulk", title: "Change in bulk", section: .bulk,
            content: View(
                operations: operations.map {
                    Option(
                        value: $0.rawValue, label: OperationCatalogue.definition($0).label,
                        isChosen: $0.rawValue == visit.query["operation"])
                }, connections: connections, canStart: !connections.isEmpty,
                rows: latest.map { RunRow($0, now: visit.now) }, isEmpty: latest.isEmpty),
            isLive: true)
    }
}
