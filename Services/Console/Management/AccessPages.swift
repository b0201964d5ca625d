import FoundationEssentials
import Operations
import Store

/// Who can do what. For those who manage access, on the whole workspace or on tenants of it: then of grants on tenants
/// only those on theirs are shown.
struct AccessPages: Sendable {
    private static let pageLimit = 100
    /// The most tenants that are named in a row of the list.
    private static let namedTenants = 3

    let users: UserReading
    let names: NameReading
    let freezes: FreezeReading
    let access: AccessReading

    /// Where the visitor manages access.
    private struct Reach {
        let isEverywhere: Bool
        let tenants: [TenantID]

        init(_ visit: Visit, _ access: AccessReading) async throws {
            let caller = visit.principal
            let everywhere = try await Access(of: caller, at: .workspace(caller.workspaceID), access)
            tenants = try await Access.tenants(of: caller, holding: .accessManage, access)
            // A workspace without tenants has managers, too.
            if tenants.isEmpty { try everywhere.require(.accessManage) }
            isEverywhere = everywhere.holds(.accessManage)
        }
    }

    // MARK: everybody

    private struct ListView: Sendable {
        struct Row: Sendable {
            let name: String
            let href: String
            let kind: String
            let isDisabled: Bool
            /// The role on the whole workspace.
            let everywhere: String
            /// For instance «Contoso: operator; Fabrikam: manager; and 4 more».
            let onTenants: String
        }

        struct Freeze: Sendable {
            let isFrozen: Bool
            let isFrozenAbove: Bool
            let freezeObstacle: String?
        }

        let query: String
        let place: String
        let ofTenant: LinkView?
        let rows: [Row]
        let isEmpty: Bool
        let next: String?
        let freeze: Freeze
    }

    func list(_ visit: Visit) async throws -> SitePage {
        let reach = try await Reach(visit, access)
        let workspace = visit.principal.workspaceID
        let tenant = visit.query["tenant"].flatMap { TenantID($0) }
        if let tenant, !reach.tenants.contains(tenant) { throw Fault.notFound }
        let query = visit.query["q"]
        let page = try await users.users(
            of: workspace, grantsOn: tenant.map { [$0] } ?? reach.tenants, named: query, entitledOn: tenant,
            after: visit.query["after"].flatMap { UserID($0) }, limit: Self.pageLimit)
        let found = try await names.names(
            of: page.entries.flatMap { $0.grants.compactMap(\.tenantID?.uuid) }
                + (tenant.map { [$0.uuid] } ?? []),
            in: workspace, on: reach.tenants)
        let frozen = try await freezes.workspace(workspace)
        let rows = page.entries.map { Self.row($0, found) }
        return SitePage(
            template: "access", title: "Access", section: .access,
            content: ListView(
                query: query ?? "", place: tenant.map { "\($0)" } ?? "",
                ofTenant: tenant.map {
                    LinkView(label: found[$0.uuid]?.name ?? "\($0)", href: Link.tenant($0))
                },
                rows: rows, isEmpty: rows.isEmpty,
                next: page.hasMore
                    ? page.entries.last.map { Self.address(query, tenant, after: $0.id) } : nil,
                freeze: ListView.Freeze(
                    isFrozen: frozen?.isFrozen == true, isFrozenAbove: frozen?.isFrozenAbove == true,
                    freezeObstacle: reach.isEverywhere
                        ? nil : "Only those who manage access to the whole workspace can freeze it.")))
    }

    private static func row(_ user: UserSummary, _ names: [UUID: NameReading.Named]) -> ListView.Row {
        let onTenants = user.grants.compactMap { grant in
            grant.tenantID.map { "\(names[$0.uuid]?.name ?? "\($0)"): \(grant.role.rawValue)" }
        }
        var parts = Array(onTenants.prefix(namedTenants))
        if onTenants.count > namedTenants { parts.append("and \(onTenants.count - namedTenants) more") }
        return ListView.Row(
            name: user.name, href: Link.person(user.id), kind: user.kind.rawValue,
            isDisabled: user.isDisabled,
            everywhere: user.grants.first { $0.tenantID == nil }?.role.rawValue ?? "",
            onTenants: parts.joined(separator: "; "))
    }

    private static func address(_ query: String?, _ tenant: TenantID?, after: UserID) -> String {
        var address = "\(SitePage.Section.access.href)?after=\(after)"
        if let query { address += "&q=\(query.urlEncoded)" }
        if let tenant { address += "&tenant=\(tenant)" }
        return address
    }

    // MARK: one

    private struct PersonView: Sendable {
        struct Grant: Sendable {
            let place: String
            let tenant: String
            let role: String
            let includes: String
            let roles: [Option]
            let grantObstacle: String?
        }

        let id: String
        let name: String
        let kind: String
        let isDisabled: Bool
        let isVisitor: Bool
        /// Why the visitor can't disable or enable; nil when it is possible.
        let personObstacle: String?
        let grants: [Grant]
        let isEmpty: Bool
        /// Where the visitor can give a role.
        let places: [Option]
        let hasPlaces: Bool
        let roles: [Option]
        let runs: String
        let records: String
    }

    private static let obstacle = "Only those who manage access to the whole workspace can change this."

    func person(_ id: UserID, _ visit: Visit) async throws -> SitePage {
        let reach = try await Reach(visit, access)
        let workspace = visit.principal.workspaceID
        guard let user = try await users.user(id, of: workspace, grantsOn: reach.tenants) else {
            throw Fault.notFound
        }
        let found = try await names.names(
            of: reach.tenants.map(\.uuid), in: workspace, on: reach.tenants)
        let places = Self.places(user, reach, found)
        return SitePage(
            template: "person", title: user.name, section: .access,
            content: PersonView(
                id: "\(id)", name: user.name, kind: user.kind.rawValue, isDisabled: user.isDisabled,
                isVisitor: id == visit.principal.userID,
                personObstacle: reach.isEverywhere ? nil : Self.obstacle,
                grants: user.grants.map { Self.grant($0, reach, found) }, isEmpty: user.grants.isEmpty,
                places: places, hasPlaces: !places.isEmpty, roles: Self.roles(chosen: .operator),
                runs: Link.operations("by:\"\(user.name.replacing("\"", with: ""))\""),
                records: "\(SitePage.Section.audit.href)?who=\(id)"))
    }

    private static func grant(
        _ grant: AccessReading.Grant, _ reach: Reach, _ names: [UUID: NameReading.Named]
    ) -> PersonView.Grant {
        PersonView.Grant(
            place: grant.tenantID.map { names[$0.uuid]?.name ?? "\($0)" } ?? "Every tenant of the workspace",
            tenant: grant.tenantID.map { "\($0)" } ?? "", role: grant.role.rawValue,
            includes: includes(grant.role),
            roles: roles(chosen: grant.role),
            grantObstacle: grant.tenantID == nil && !reach.isEverywhere ? obstacle : nil)
    }

    /// Where the person holds nothing of their own yet.
    private static func places(
        _ user: UserSummary, _ reach: Reach, _ names: [UUID: NameReading.Named]
    ) -> [Option] {
        let held = Set(user.grants.map(\.tenantID))
        var places: [Option] = []
        if reach.isEverywhere, !held.contains(nil) {
            places.append(.init(value: "", label: "Every tenant of the workspace", isChosen: false))
        }
        return places
            + reach.tenants.filter { !held.contains($0) }.compactMap { tenant in
                names[tenant.uuid].map { .init(value: "\(tenant)", label: $0.name, isChosen: false) }
            }.sorted { $0.label.lowercased() < $1.label.lowercased() }
    }

    private static func roles(chosen: Role) -> [Option] {
        Role.allCases.map {
            Option(value: $0.rawValue, label: $0.rawValue, isChosen: $0 == chosen)
        }
    }

    private static func includes(_ role: Role) -> String {
        Capability.allCases.filter(role.holds).map(\.rawValue).joined(separator: ", ")
    }
}
