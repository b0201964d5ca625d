import FoundationEssentials
import Operations
import Store

/// Tenants and connections.
struct PlacePages: Sendable {
    private static let pageLimit = 200
    private static let latestRuns = 10

    let tenants: TenantReading
    let runs: RunReading
    let freezes: FreezeReading
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
            let href: String
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
                isOperable: tenant.operability == .operable,
                gate: GateWords.text(tenant.writeGate, visit.now),
                isGateOpen: tenant.writeGate.isOpen, role: tenant.role.rawValue,
                href: Link.tenant(tenant.id))
        }
        return SitePage(
            template: "tenants", title: "Tenants", section: .tenants,
            content: TenantsView(
                rows: rows, isEmpty: rows.isEmpty,
                next: page.hasMore ? page.entries.last.map { "/admin/tenants?after=\($0.id)" } : nil))
    }

    // MARK: connections

    private struct ConnectionsView: Sendable {
        let rows: [ConnectionView]
        let isEmpty: Bool
        let next: String?
        /// Whether the visitor may make one somewhere.
        let canCreate: Bool
    }

    func connectionList(_ visit: Visit) async throws -> SitePage {
        let page = try await tenants.connections(
            of: visible(visit), after: visit.query["after"].flatMap(ConnectionID.init), limit: Self.pageLimit)
        let next = page.hasMore ? page.entries.last.map { "/admin/provider-connections?after=\($0.id)" } : nil
        return SitePage(
            template: "connections", title: "Connections", section: .connections,
            content: ConnectionsView(
                rows: page.entries.map { ConnectionView($0, now: visit.now) }, isEmpty: page.entries.isEmpty,
                next: next,
                canCreate: try await !Access.tenants(
                    of: visit.principal, holding: .providerManage, access
                ).isEmpty))
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
        let tenantHref: String
        let isFrozen: Bool
        /// Why the visitor can't change the connection, and can't freeze it; nil when it is possible.
        let manageObstacle: String?
        let freezeObstacle: String?
        let canBecomeDefault: Bool
        /// Where more is chosen before something starts; nil for a visitor who may not.
        let bulk: String?
        let newSchedule: String?
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
                tenantHref: Link.tenant(connection.tenant.id),
                isFrozen: try await freezes.tenant(connection.tenant.id)?.frozenConnections.contains(id)
                    == true,
                manageObstacle: Self.obstacle(.providerManage, place),
                freezeObstacle: Self.obstacle(.accessManage, place),
                canBecomeDefault: !connection.isDefault && place.holds(.providerManage),
                bulk: place.holds(.policyBulk) || place.holds(.deviceBulk)
                    ? "\(SitePage.Section.bulk.href)?connection=\(id)" : nil,
                newSchedule: place.holds(.providerRun) ? "\(ScheduleForm.address)?connection=\(id)" : nil,
                rows: latest.map { RunRow($0, now: visit.now) }, isEmpty: latest.isEmpty,
                all: Link.operations("connection:\(id)")),
            isLive: true)
    }

    /// Why an operation can't be started now, as far as it can be known before; nil when nothing stands in the way.
    private static func obstacle(
        _ type: OperationType, _ connection: ConnectionSummary, _ place: Access
    ) -> String? {
        let capability = OperationCatalogue.definition(type).capability
        if let obstacle = obstacle(capability, place) { return obstacle }
        guard connection.isEnabled else { return Presentation.sentence(.denial(.connectionDisabled)) }
        guard connection.credential != nil else { return Presentation.sentence(.denial(.credentialMissing)) }
        return connection.activeRun == nil ? nil : "Another operation is under way on this connection."
    }

    private static func obstacle(_ capability: Capability, _ place: Access) -> String? {
        place.holds(capability) ? nil : "Your role here does not include \(capability.rawValue)."
    }

    private func visible(_ visit: Visit) async throws -> [TenantID] {
        let visible = try await Access.tenants(of: visit.principal, holding: .providerView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.providerView) }
        return visible
    }
}
