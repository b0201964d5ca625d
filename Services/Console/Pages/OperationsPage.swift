import FoundationEssentials
import Hummingbird
import Operations
import Store

/// The list of runs with its filter bar.
struct OperationsPage: Sendable {
    private static let pageLimit = 50

    let runs: RunReading
    let tenants: TenantReading
    let views: SavedViews
    let access: AccessReading

    /// What the template reads.
    private struct View: Sendable {
        /// A filter that the visitor has named.
        struct Kept: Sendable {
            let id: String
            let label: String
            let href: String
            let isCurrent: Bool
        }

        let query: String
        let chips: [Chip]
        let kept: [Kept]
        let hasKept: Bool
        /// Whether the filter at hand can be given a name.
        let canKeep: Bool
        let nameLimit: Int
        let suggestions: [String]
        let faults: [String]
        let rows: [RunRow]
        let isEmpty: Bool
        let isFiltered: Bool
        /// The address of the next page; nil on the last one.
        let next: String?
        /// The address of the first page; nil when this is it.
        let first: String?
        let csv: String
        let json: String
    }

    /// What people look for most.
    private static let chips = [
        ("All", ""), ("Running", "state:running"), ("Waiting", "state:waiting"),
        ("Blocked", "outcome:blocked"),
        ("Failed", "outcome:failed"), ("Partial", "outcome:partially_succeeded"), ("Mine", "by:me"),
        ("By the system", "by:system"),
    ]

    func show(_ visit: Visit) async throws -> SitePage {
        let text = visit.query["q"] ?? ""
        let (filter, faults) = try await filter(text, visit)
        let page = try await runs.list(filter)
        let next = page.hasMore ? page.entries.last.map { "\(Self.address(text))&before=\($0.id)" } : nil
        let kept = try await views.views(of: visit.principal.userID)
        let view = View(
            query: text,
            chips: Self.chips.map { label, query in
                Chip(label: label, href: Link.operations(query), isCurrent: query == text)
            },
            kept: kept.map {
                View.Kept(
                    id: "\($0.id)", label: $0.name, href: Link.operations($0.query),
                    isCurrent: $0.query == text)
            }, hasKept: !kept.isEmpty,
            canKeep: !text.isEmpty && faults.isEmpty && !kept.contains { $0.query == text },
            nameLimit: SavedViews.nameLimit,
            suggestions: Self.suggestions, faults: faults,
            rows: page.entries.map { RunRow($0, now: visit.now) },
            isEmpty: page.entries.isEmpty, isFiltered: !text.isEmpty || filter.before != nil, next: next,
            first: filter.before == nil ? nil : Self.address(text),
            csv: "/admin/operations.csv?q=\(text.urlEncoded)",
            json: "/admin/operations.json?q=\(text.urlEncoded)")
        return SitePage(
            template: "operations", title: "Operations", section: .operations, content: view, isLive: true)
    }

    /// The run whose id stands alone in the bar.
    func soughtRun(_ visit: Visit) -> RunID? { OperationsQuery(visit.query["q"] ?? "").run }

    /// The runs that a query finds on what the visitor may see, and what of it can't be understood.
    func filter(_ text: String, _ visit: Visit) async throws -> (RunFilter, faults: [String]) {
        let query = OperationsQuery(text)
        var faults = query.faults
        let visible = try await Access.tenants(of: visit.principal, holding: .operationsView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.operationsView) }
        var filter = RunFilter(
            workspace: visit.principal.workspaceID, tenants: visible, limit: Self.pageLimit)
        if let name = query.tenant {
            filter.tenants = try await tenants.named(name, among: visible)
            if filter.tenants.isEmpty { faults.append("There is no tenant with «\(name)» in its name.") }
        }
        filter.state = query.state
        filter.isWaiting = query.isWaiting
        filter.outcome = query.outcome
        filter.operation = query.operation?.rawValue
        filter.reason = query.reason
        filter.connection = query.connection
        filter.since = query.sinceSeconds.map { visit.now.addingTimeInterval(-$0) }
        filter.before = visit.query["before"].flatMap(RunID.init)
        switch query.startedBy {
        case .me?: filter.initiator = visit.principal.userID
        case .system?: filter.isOfSystem = true
        case .named(let name)?:
            filter.initiator = try await tenants.person(name, in: visit.principal.workspaceID)
            if filter.initiator == nil {
                faults.append("There is not exactly one person called «\(name)».")
                filter.tenants = []
            }
        case nil: break
        }
        return (filter, faults)
    }

    func export(_ format: RunExport.Format, _ visit: Visit) async throws -> Reply {
        let (filter, faults) = try await filter(visit.query["q"] ?? "", visit)
        guard faults.isEmpty else { throw Fault.invalid(faults.joined(separator: " ")) }
        return RunExport(runs: runs, filter: filter, format: format).reply
    }

    private static func address(_ text: String) -> String { Link.operations(text) }

    /// Whole queries that the browser offers.
    private static let suggestions: [String] =
        RunOutcome.allCases.map { "outcome:\($0.rawValue)" }
        + ["state:running", "state:queued", "state:waiting", "since:24h", "since:7d", "by:me", "by:system"]
        + OperationType.allCases.map { "type:\($0.rawValue)" }
        + DenialReason.allCases.map { "outcome:blocked reason:\($0.rawValue)" }
        + ProviderFailure.allCases.map { "outcome:failed reason:\($0.rawValue)" }
}
