import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

/// Backup sets, and what is in them.
struct BackupSetPages: Sendable {
    private static let setLimit = 50
    /// As many as can be chosen on one page.
    private static let itemLimit = 200

    let backups: BackupReading
    let names: NameReading
    let access: AccessReading

    // MARK: sets

    private struct ListView: Sendable {
        struct Row: Sendable {
            let set: BackupView
            /// For instance «as the one before»; nil when nothing came before it.
            let change: LinkView?
        }

        let ofTenant: LinkView?
        let rows: [Row]
        let isEmpty: Bool
        let canCompare: Bool
        let next: String?
    }

    func list(_ visit: Visit) async throws -> SitePage {
        let tenant = visit.query["tenant"].flatMap { TenantID($0) }
        let visible = try await visible(tenant, visit)
        let page = try await backups.sets(
            of: visible, before: visit.query["before"].flatMap { RunID($0) }, limit: Self.setLimit)
        let predecessors = try await backups.predecessors(of: page.entries.map(\.id))
        let found = try await names.names(
            of: tenant.map { [$0.uuid] } ?? [], in: visit.principal.workspaceID, on: visible)
        return SitePage(
            template: "backups", title: "Backups", section: .backups,
            content: ListView(
                ofTenant: tenant.map {
                    LinkView(label: found[$0.uuid]?.name ?? "\($0)", href: Link.tenant($0))
                },
                rows: page.entries.map { set in
                    ListView.Row(
                        set: BackupView(set, now: visit.now),
                        change: predecessors[set.id].flatMap { Self.change($0, since: set.id) })
                },
                isEmpty: page.entries.isEmpty, canCompare: page.entries.count > 1,
                next: page.hasMore ? page.entries.last.map { Self.address(tenant, before: $0.id) } : nil))
    }

    /// The tenants whose backups the visitor may see: all of them, or the one that was asked for.
    private func visible(_ tenant: TenantID?, _ visit: Visit) async throws -> [TenantID] {
        if let tenant {
            try await Access(of: visit.principal, at: .tenant(tenant), access).require(.providerView)
            return [tenant]
        }
        let visible = try await Access.tenants(of: visit.principal, holding: .providerView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.providerView) }
        return visible
    }

    private static func change(_ predecessor: BackupPredecessor, since id: RunID) -> LinkView? {
        predecessor.isEqual.map { isEqual in
            LinkView(
                label: isEqual ? "nothing changed" : "what changed",
                href: Link.comparison(of: predecessor.id, with: id))
        }
    }

    private static func address(_ tenant: TenantID?, before: RunID) -> String {
        "\(SitePage.Section.backups.href)?\(tenant.map { "tenant=\($0)&" } ?? "")before=\(before)"
    }

    // MARK: one set

    private struct SetView: Sendable {
        let set: BackupView
        let change: LinkView?
        let query: String
        let kinds: [Option]
        let rows: [BackupItemView]
        let isEmpty: Bool
        let next: String?
        /// Why nothing can be restored from it by the visitor; nil when it is possible.
        let obstacle: String?
        /// Makes of a double click one preview.
        let key: String
        /// For instance «All 214 items of the set».
        let everything: String
    }

    func set(_ id: RunID, _ visit: Visit) async throws -> SitePage {
        let (set, place) = try await found(id, visit)
        let query = visit.query["q"]
        let kind = visit.query["kind"].flatMap(PolicyKind.init(rawValue:))
        let page = try await backups.items(
            of: id, in: set.tenant.id, kind: kind, named: query,
            after: visit.query["after"].flatMap(UUID.init(uuidString:)), limit: Self.itemLimit)
        let predecessor = try await backups.predecessors(of: [id])[id]
        return SitePage(
            template: "backup", title: "Backup of \(set.tenant.name)", section: .backups,
            content: SetView(
                set: BackupView(set, now: visit.now),
                change: predecessor.flatMap { Self.change($0, since: id) }, query: query ?? "",
                kinds: set.kinds.map {
                    Option(value: $0.rawValue, label: $0.word, isChosen: $0 == kind)
                },
                rows: page.entries.map { BackupItemView($0, of: id) }, isEmpty: page.entries.isEmpty,
                next: page.hasMore
                    ? page.entries.last.map { Self.address(id, query, kind, after: $0.id) } : nil,
                obstacle: Self.obstacle(set, place), key: Hex.random(16),
                everything: "All \(Presentation.grouped(set.items)) items of the set"))
    }

    private static func obstacle(_ set: BackupSummary, _ place: Access) -> String? {
        if set.completedAt == nil { return "It is only a part: nothing is restored from it." }
        return place.holds(.restoreExecute)
            ? nil : "Your role here does not include \(Capability.restoreExecute.rawValue)."
    }

    private static func address(_ set: RunID, _ query: String?, _ kind: PolicyKind?, after: UUID) -> String {
        var address = "\(Link.backup(set))?after=\(after.uuidString.lowercased())"
        if let query { address += "&q=\(query.urlEncoded)" }
        if let kind { address += "&kind=\(kind.rawValue)" }
        return address
    }

    private func found(_ id: RunID, _ visit: Visit) async throws -> (BackupSummary, Access) {
        let place = try await Access(of: visit.principal, at: .backup(id), access)
        try place.require(.providerView)
        guard let set = try await backups.set(id) else { throw Fault.notFound }
        return (set, place)
    }

    // MARK: one item

    private struct ItemView: Sendable {
        let set: BackupView
        let item: BackupItemView
        let type: String?
        let policyID: String
        let document: String
        let isCut: Bool
    }

    /// The most characters of a document that are shown.
    private static let documentLimit = 200_000

    func item(_ item: UUID, of id: RunID, _ visit: Visit) async throws -> SitePage {
        let (set, _) = try await found(id, visit)
        guard let stored = try await backups.documents([item], of: id, in: set.tenant.id).first else {
            throw Fault.notFound
        }
        let text = JSON.object(stored.content).indented
        let view = BackupItemView(stored.item, of: id)
        return SitePage(
            template: "backup-item", title: view.name, section: .backups,
            content: ItemView(
                set: BackupView(set, now: visit.now), item: view, type: stored.item.type,
                policyID: stored.item.policyID, document: String(text.prefix(Self.documentLimit)),
                isCut: text.count > Self.documentLimit))
    }
}
