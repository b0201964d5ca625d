import FoundationEssentials
import Operations
import Store

/// Tenants, connections, and what the visitor may do where.
struct PlacePages: Sendable {
    private static let pageLimit = 200
    private static let latestRuns = 10

    let tenants: TenantReading
    let runs: RunReading
    let access: AccessReading

    // MARK: tenants

    private struct TenantsView: Sendable {
        struct Row: Sendable {
            let name: String
            let operability: String
            let isOperable: Bool
            let gate: String
            let isGateOpen: Bool
            let role: String
            let runs: String
        }

        let rows: [Row]
        let isEmpty: Bool
        let next: String?
    }

    func tenantList(_ visit: Visit) async throws -> SitePage {
        let visible = try await visible(visit)
        let page = try await tenants.tenants(
            visible, of: visit.principal.userID, after: visit.query["after"].flatMap(TenantID.init),
            limit: Self.pageLimit)
        let rows = page.entries.map { tenant in
            TenantsView.Row(
                name: tenant.name, operability: tenant.operability.rawValue,
                isOperable: tenant.operability == .operable, gate: Self.gate(tenant.writeGate, visit.now),
                isGateOpen: tenant.writeGate.isOpen, role: tenant.role.rawValue,
                runs: Link.operations("tenant:\"\(tenant.name.replacing("\"", with: ""))\""))
        }
        return SitePage(
            template: "tenants", title: "Tenants", section: .tenants,
            content: TenantsView(
                rows: rows, isEmpty: rows.isEmpty,
                next: page.hasMore ? page.entries.last.map { "/admin/tenants?after=\($0.id)" } : nil))
    }

    private static func gate(_ gate: AuthorityFacts.WriteGate, _ now: Date) -> String {
        guard gate.isOpen else { return "closed: changes are switched off" }
        guard let checkedAt = gate.checkedAt else { return "open, but no connection check has been made" }
        let checked = MomentView(checkedAt, now: now).relative
        guard gate.isHealthy else { return "open, but the check \(checked) missed permissions" }
        let isStale = now.timeIntervalSince(checkedAt) > Double(gate.limitSeconds)
        return isStale ? "open, but the last check (\(checked)) is too old" : "open, checked \(checked)"
    }

    // MARK: connections

    private struct ConnectionsView: Sendable {
        let rows: [ConnectionView]
        let isEmpty: Bool
        let next: String?
    }

    func connectionList(_ visit: Visit) async throws -> SitePage {
        let page = try await tenants.connections(
            of: visible(visit), after: visit.query["after"].flatMap(ConnectionID.init), limit: Self.pageLimit)
        let next = page.hasMore ? page.entries.last.map { "/admin/provider-connections?after=\($0.id)" } : nil
        return SitePage(
            template: "connections", title: "Connections", section: .connections,
            content: ConnectionsView(
                rows: page.entries.map { ConnectionView($0, now: visit.now) }, isEmpty: page.entries.isEmpty,
                next: next))
    }

    private struct OneConnectionView: Sendable {
        struct Action: Sendable {
            let label: String
            let operation: String
            /// Why it can't be started; nil when it can.
            let obstacle: String?
            /// Makes of a double click one run: the same as long as nothing was started since.
            let key: String
        }

        let connection: ConnectionView
        let actions: [Action]
        let rows: [RunRow]
        let isEmpty: Bool
        let all: String
    }

    /// What can be started without anything else to choose.
    private static let actions: [OperationType] = [
        .connectionCheck, .inventorySync, .policySync, .complianceSnapshot, .backupRun,
    ]

    func connection(_ id: ConnectionID, _ visit: Visit) async throws -> SitePage {
        let place = try await Access(of: visit.principal, at: .connection(id), access)
        try place.require(.providerView)
        guard let connection = try await tenants.connection(id) else { throw Fault.notFound }
        var filter = RunFilter(
            workspace: place.workspace, tenants: [connection.tenant.id], limit: Self.latestRuns)
        filter.connection = id
        let latest = place.holds(.operationsView) ? try await runs.list(filter).entries : []
        return SitePage(
            template: "connection", title: connection.displayName, section: .connections,
            content: OneConnectionView(
                connection: ConnectionView(connection, now: visit.now),
                actions: Self.actions.map { type in
                    // Whoever sees the same runs and starts the same means the same start.
                    OneConnectionView.Action(
                        label: OperationCatalogue.definition(type).label, operation: type.rawValue,
                        obstacle: Self.obstacle(type, connection, place),
                        key: visit.seal.key("\(id) \(type) \(latest.first.map { "\($0.id)" } ?? "")"))
                },
                rows: latest.map { RunRow($0, now: visit.now) }, isEmpty: latest.isEmpty,
                all: Link.operations("connection:\(id)")),
            isLive: true)
    }

    /// Why an operation can't be started now, as far as it can be known before; nil when nothing stands in the way.
    private static func obstacle(
        _ type: OperationType, _ connection: ConnectionSummary, _ place: Access
    ) -> String? {
        let capability = OperationCatalogue.definition(type).capability
        guard place.holds(capability) else {
            return "Your role here does not include \(capability.rawValue)."
        }
        guard connection.isEnabled else { return Presentation.sentence(.denial(.connectionDisabled)) }
        guard connection.credential != nil else { return Presentation.sentence(.denial(.credentialMissing)) }
        return connection.activeRun == nil ? nil : "Another operation is under way on this connection."
    }

    // MARK: the visitor

    private struct MeView: Sendable {
        struct Grant: Sendable {
            let place: String
            let role: String
            let capabilities: String
        }

        let name: String
        let grants: [Grant]
        let isEmpty: Bool
    }

    func me(_ visit: Visit) async throws -> SitePage {
        let caller = visit.principal
        let grants = try await access.grants(of: caller.userID, in: caller.workspaceID)
        let named = try await tenants.tenants(
            grants.compactMap(\.tenantID), of: caller.userID, after: nil, limit: Self.pageLimit)
        let names = Dictionary(uniqueKeysWithValues: named.entries.map { ($0.id, $0.name) })
        return SitePage(
            template: "me", title: "What you may do", section: .me,
            content: MeView(
                name: caller.name,
                grants: grants.map { grant in
                    MeView.Grant(
                        place: grant.tenantID.map { names[$0] ?? "\($0)" } ?? "Every tenant of the workspace",
                        role: grant.role.rawValue,
                        capabilities: Capability.allCases.filter(grant.role.holds).map(\.rawValue)
                            .joined(separator: ", "))
                }, isEmpty: grants.isEmpty))
    }

    private func visible(_ visit: Visit) async throws -> [TenantID] {
        let visible = try await Access.tenants(of: visit.principal, holding: .providerView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.providerView) }
        return visible
    }
}
