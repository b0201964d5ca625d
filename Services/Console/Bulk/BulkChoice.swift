import FoundationEssentials
import JSON
import Operations
import Store

/// Choosing what a bulk operation is to change: everything that a search finds, or what was ticked in it. What was ticked
/// travels in the form, whatever is searched next, so that it works without JavaScript.
struct BulkChoice: Sendable {
    private static let pageLimit = 50
    private static let groupLimit = 12
    /// The most assignment filters that are offered.
    private static let filterLimit = 200

    let tenants: TenantReading
    let candidates: BulkCandidates
    let directory: DirectoryReading
    let access: AccessReading

    private struct View: Sendable {
        struct Row: Sendable {
            let id: String
            let name: String
            let type: String?
            let user: String?
            let seen: MomentView?
            let isTicked: Bool
        }

        struct Condition: Sendable {
            let name: String
            let label: String
            let values: [Option]
        }

        struct Assignment: Sendable {
            let targets: [Option]
            let groupName: String
            let groups: [Option]
            let hasNoGroups: Bool
            let areGroupsCut: Bool
            let filters: [Option]
            let hasFilters: Bool
            let modes: [Option]
        }

        let label: String
        let connection: ConnectionView
        let operation: String
        let problems: [String]
        let kinds: [Option]
        let isOfPolicies: Bool
        let tickedKind: String
        let name: String
        let conditions: [Condition]
        let finds: String
        let asOf: MomentView?
        let isInventoryEmpty: Bool
        let rows: [Row]
        let isEmpty: Bool
        let next: BulkCandidates.Position?
        let isFirst: Bool
        /// What was ticked and is not among the rows.
        let elsewhere: [Row]
        let elsewhereCount: String?
        let assignment: Assignment?
        let total: String
        let canTakeAll: Bool
    }

    func show(_ visit: Visit) async throws -> SitePage {
        try await page(BulkWish(visit.query), problems: [], visit)
    }

    func page(_ wish: BulkWish, problems: [String], _ visit: Visit) async throws -> SitePage {
        let place = try await Access(of: visit.principal, at: .connection(wish.connection), access)
        try place.require(wish.definition.capability)
        guard let connection = try await tenants.connection(wish.connection), let tenant = place.tenant
        else { throw Fault.notFound }
        let inventory = try await candidates.inventory(of: wish.kind, on: wish.connection)
        let found = try await candidates.found(
            by: wish.filter, of: wish.kind, on: wish.connection, after: wish.after, limit: Self.pageLimit)
        let ticked = Set(wish.items)
        let rows = found.page.entries.map { Self.row($0, ticked, visit.now) }
        let shown = Set(rows.map(\.id))
        let elsewhere = try await candidates.named(
            wish.items.filter { !shown.contains($0) }, of: wish.kind, on: wish.connection)
        let noun = Self.noun(found.total, wish.kind)
        return SitePage(
            template: "bulk-choice", title: wish.definition.label, section: .bulk,
            content: View(
                label: wish.definition.label, connection: ConnectionView(connection, now: visit.now),
                operation: wish.type.rawValue, problems: problems, kinds: Self.kinds(wish.kind),
                isOfPolicies: wish.kind != nil, tickedKind: wish.kind?.rawValue ?? "",
                name: wish.condition("name_contains") ?? "", conditions: Self.conditions(wish, inventory),
                finds: wish.conditions.isEmpty
                    ? "The inventory has \(noun)." : "\(noun) of \(Presentation.grouped(inventory.count)).",
                asOf: inventory.seenAt.map { MomentView($0, now: visit.now) },
                isInventoryEmpty: inventory.count == 0, rows: rows, isEmpty: rows.isEmpty,
                next: found.page.hasMore ? found.page.entries.last?.position : nil,
                isFirst: wish.after == nil,
                elsewhere: elsewhere.map { Self.row($0, ticked, visit.now) },
                elsewhereCount: elsewhere.isEmpty ? nil : Presentation.grouped(elsewhere.count),
                assignment: wish.assigns ? try await assignment(wish, tenant) : nil,
                total: noun, canTakeAll: found.total > 0))
    }

    /// For instance «1 device» or «1,250 policies».
    static func noun(_ count: Int, _ kind: PolicyKind?) -> String {
        let (one, many) = kind == nil ? ("device", "devices") : ("policy", "policies")
        return "\(Presentation.grouped(count)) \(count == 1 ? one : many)"
    }

    private static func row(
        _ candidate: BulkCandidates.Candidate, _ ticked: Set<String>, _ now: Date
    ) -> View.Row {
        View.Row(
            id: candidate.id, name: candidate.name ?? candidate.id, type: candidate.type.map(shortType),
            user: candidate.user, seen: candidate.seenAt.map { MomentView($0, now: now) },
            isTicked: ticked.contains(candidate.id))
    }

    /// A type as people read it: Microsoft's own begin all with the same words.
    static func shortType(_ type: String) -> String { type.replacing("#microsoft.graph.", with: "") }

    private static func kinds(_ chosen: PolicyKind?) -> [Option] {
        guard let chosen else { return [] }
        return BulkSelection.kinds.map {
            Option(value: $0.rawValue, label: $0.word, isChosen: $0 == chosen)
        }
    }

    /// What people read for a condition.
    static let conditionLabels = [
        "name_contains": "Name", "type": "Type", "operating_system": "Operating system",
        "compliance_state": "Compliance", "owner_type": "Owner",
    ]

    private static func conditions(
        _ wish: BulkWish, _ inventory: BulkCandidates.Inventory
    ) -> [View.Condition] {
        BulkSelection.conditions(ofPolicies: wish.kind != nil).compactMap { name in
            guard let known = inventory.values[name] else { return nil }
            let chosen = wish.condition(name)
            // What somebody asks for is offered even if nothing is like it any more.
            let values = known + (chosen.map { known.contains($0) ? [] : [$0] } ?? [])
            guard !values.isEmpty else { return nil }
            return View.Condition(
                name: name, label: conditionLabels[name] ?? name,
                values: values.map {
                    Option(value: $0, label: shortType($0), isChosen: $0 == chosen)
                })
        }
    }

    private func assignment(_ wish: BulkWish, _ tenant: TenantID) async throws -> View.Assignment {
        let page = try await directory.groups(
            of: tenant, on: wish.connection, named: wish.groupName, after: nil, limit: Self.groupLimit)
        var groups = page.entries.map { group in
            Option(value: group.id, label: group.name ?? group.id, isChosen: group.id == wish.groupID)
        }
        if let chosen = wish.groupID, !groups.contains(where: \.isChosen),
            let name = try await directory.name(ofGroup: chosen, on: wish.connection)
        {
            groups.insert(Option(value: chosen, label: name, isChosen: true), at: 0)
        }
        let filters = try await candidates.found(
            by: ["all": true], of: .assignmentFilter, on: wish.connection, after: nil, limit: Self.filterLimit
        ).page.entries.map {
            Option(value: $0.id, label: $0.name ?? $0.id, isChosen: $0.id == wish.filterID)
        }
        return View.Assignment(
            targets: BulkAssignment.Target.allCases.map {
                Option(value: $0.rawValue, label: $0.label, isChosen: $0 == wish.target)
            }, groupName: wish.groupName ?? "", groups: groups, hasNoGroups: groups.isEmpty,
            areGroupsCut: page.hasMore, filters: filters, hasFilters: !filters.isEmpty,
            modes: BulkAssignment.FilterMode.allCases.map {
                Option(
                    value: $0.rawValue, label: $0 == .include ? "only those it includes" : "all but those",
                    isChosen: $0 == wish.filterMode)
            })
    }
}
