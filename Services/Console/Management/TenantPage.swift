import FoundationEssentials
import Operations
import Store

/// One tenant: how it stands, its connections, what ran on it, and what can be done with it.
struct TenantPage: Sendable {
    private static let latestRuns = 10

    let tenants: TenantReading
    let freezes: FreezeReading
    let runs: RunReading
    let access: AccessReading

    private struct View: Sendable {
        /// A state that people set.
        struct State: Sendable {
            let label: String
            let operability: String
        }

        let id: String
        let name: String
        let state: String
        let isOperable: Bool
        let isFrozen: Bool
        let isFrozenAbove: Bool
        let gate: String
        let isGateOpen: Bool
        let role: String
        /// The states that it can be brought to.
        let states: [State]
        /// Why the visitor can't change it; nil when it is possible.
        let obstacle: String?
        let connections: [ConnectionView]
        let hasConnections: Bool
        let newConnection: String?
        let rows: [RunRow]
        let isEmpty: Bool
        let all: String
        let backups: String
        let people: String?
        let records: String?
        let schedules: String?
    }

    func show(_ id: TenantID, _ visit: Visit) async throws -> SitePage {
        let place = try await Access(of: visit.principal, at: .tenant(id), access)
        try place.require(.providerView)
        let own = visit.principal.userID
        guard let tenant = try await tenants.tenants([id], of: own, after: nil, limit: 1).entries.first,
            let state = try await freezes.tenant(id)
        else { throw Fault.notFound }
        let connections = try await tenants.connections(
            of: [id], after: nil, limit: ConnectionChanges.tenantLimit)
        let filter = RunFilter(workspace: place.workspace, tenants: [id], limit: Self.latestRuns)
        let latest = place.holds(.operationsView) ? try await runs.list(filter).entries : []
        let manages = place.holds(.accessManage)
        return SitePage(
            template: "tenant", title: tenant.name, section: .tenants,
            content: View(
                id: "\(id)", name: tenant.name, state: state.operability.rawValue,
                isOperable: state.operability == .operable, isFrozen: state.isFrozen,
                isFrozenAbove: state.isFrozenAbove, gate: GateWords.text(tenant.writeGate, visit.now),
                isGateOpen: tenant.writeGate.isOpen, role: tenant.role.rawValue,
                states: Self.states(state.operability),
                obstacle: manages
                    ? nil : "Your role here does not include \(Capability.accessManage.rawValue).",
                connections: connections.entries.map { ConnectionView($0, now: visit.now) },
                hasConnections: !connections.entries.isEmpty,
                newConnection: place.holds(.providerManage)
                    ? "/admin/provider-connections/new?tenant=\(id)" : nil,
                rows: latest.map { RunRow($0, now: visit.now) }, isEmpty: latest.isEmpty,
                all: Link.operations("tenant:\"\(tenant.name.replacing("\"", with: ""))\""),
                backups: Link.backups(of: id),
                people: manages ? "\(SitePage.Section.access.href)?tenant=\(id)" : nil,
                records: place.holds(.auditView)
                    ? "\(SitePage.Section.audit.href)?tenant=\(id)" : nil,
                schedules: place.holds(.operationsView)
                    ? "\(SitePage.Section.schedules.href)?tenant=\(id)" : nil),
            isLive: true)
    }

    private static func states(_ now: AuthorityFacts.Operability) -> [View.State] {
        let all: [(AuthorityFacts.Operability, String)] = [
            (.operable, "Make it operable"), (.suspended, "Suspend…"), (.archived, "Archive…"),
        ]
        return all.filter { $0.0 != now }.map { View.State(label: $0.1, operability: $0.0.rawValue) }
    }
}

/// How a tenant's write gate is told.
enum GateWords {
    static func text(_ gate: AuthorityFacts.WriteGate, _ now: Date) -> String {
        guard gate.isOpen else { return "closed: changes are switched off" }
        guard let checkedAt = gate.checkedAt else { return "open, but no connection check has been made" }
        let checked = MomentView(checkedAt, now: now).relative
        guard gate.isHealthy else { return "open, but the check \(checked) missed permissions" }
        let isStale = now.timeIntervalSince(checkedAt) > Double(gate.limitSeconds)
        return isStale ? "open, but the last check (\(checked)) is too old" : "open, checked \(checked)"
    }
}
