import FoundationEssentials
import JSON
import Operations
import Store

/// What was recorded for good: searched, exported, and verified.
struct AuditPages: Sendable {
    private static let pageLimit = 50

    let audit: AuditReading
    let tenants: TenantReading
    let names: NameReading
    let access: AccessReading
    let verification: AuditCheck

    private struct View: Sendable {
        struct Row: Sendable {
            let number: String
            let at: MomentView
            let what: String
            let word: String
            let doer: String
            let doerHref: String?
            let tenantName: String
            let tenantHref: String?
            let runHref: String?
            let details: [AuditDetail]
        }

        let actions: [Option]
        let who: String
        let run: String
        let places: [Option]
        let since: String
        let until: String
        let faults: [String]
        let rows: [Row]
        let isEmpty: Bool
        let isFiltered: Bool
        let next: String?
        let first: String?
        let file: String
        let fileLimit: String
        /// Why the visitor can't have the chain verified; nil when it is possible.
        let obstacle: String?
        let verdict: AuditCheck.Verdict?
    }

    func show(_ visit: Visit) async throws -> SitePage { try await show(visit, verdict: nil) }

    /// The page with what came of a verification.
    func verify(_ visit: Visit) async throws -> SitePage {
        let workspace = visit.principal.workspaceID
        try await Access(of: visit.principal, at: .workspace(workspace), access).require(.auditView)
        return try await show(visit, verdict: try await verification.run(workspace))
    }

    private func show(_ visit: Visit, verdict: AuditCheck.Verdict?) async throws -> SitePage {
        let caller = visit.principal
        let query = AuditQuery(visit.query)
        let (filter, faults) = try await filter(query, visit, limit: Self.pageLimit)
        let page = faults.isEmpty ? try await audit.list(filter) : nil
        let entries = page?.entries ?? []
        let visible = try await Access.tenants(of: caller, holding: .auditView, access)
        let found = try await names.names(
            of: visible.map(\.uuid) + entries.flatMap { AuditDetail.ids($0.entry.details) },
            in: caller.workspaceID, on: visible)
        let everywhere = try await Access(of: caller, at: .workspace(caller.workspaceID), access)
        let reach = Reach(
            names: found, seesPeople: try await managesAccess(everywhere, caller), now: visit.now)
        return SitePage(
            template: "audit", title: "Audit", section: .audit,
            content: View(
                actions: AuditAction.allCases.map {
                    Option(
                        value: $0.rawValue, label: AuditWords.text($0), isChosen: $0 == query.action)
                }.sorted { $0.label < $1.label }, who: query.who, run: query.run,
                places: Self.places(visible, found, query.tenantID), since: query.since,
                until: query.until, faults: faults, rows: entries.map { Self.row($0, reach) },
                isEmpty: entries.isEmpty, isFiltered: query.isFiltered || filter.before != nil,
                next: page?.hasMore == true
                    ? entries.last.map { Self.address(query, before: $0.entry.id) } : nil,
                first: filter.before == nil ? nil : Self.address(query, before: nil),
                file: "/admin/audit.json?\(query.text)", fileLimit: Presentation.grouped(AuditExport.limit),
                obstacle: everywhere.holds(.auditView)
                    ? nil : "Only those who see the audit of the whole workspace can have it verified.",
                verdict: verdict))
    }

    func export(_ visit: Visit) async throws -> Reply {
        let (filter, faults) = try await filter(
            AuditQuery(visit.query), visit, limit: Page<AuditReading.Named>.limit)
        guard faults.isEmpty else { throw Fault.invalid(faults.joined(separator: " ")) }
        return AuditExport(audit: audit, filter: filter).reply
    }

    // MARK: parts

    /// What rows may name, and link to.
    private struct Reach {
        let names: [UUID: NameReading.Named]
        let seesPeople: Bool
        let now: Date
    }

    private func managesAccess(_ everywhere: Access, _ caller: Principal) async throws -> Bool {
        if everywhere.holds(.accessManage) { return true }
        return try await !Access.tenants(of: caller, holding: .accessManage, access).isEmpty
    }

    /// Throws ``AccessRefusal`` when the visitor may see no record, or not those of the tenant.
    private func filter(
        _ query: AuditQuery, _ visit: Visit, limit: Int
    ) async throws -> (AuditFilter, faults: [String]) {
        let caller = visit.principal
        let scope = try await Access.audit(of: caller, tenant: query.tenantID, access)
        var faults = query.faults
        var actor: UserID?
        if !query.who.isEmpty {
            actor = UserID(query.who)
            if actor == nil { actor = try await tenants.person(query.who, in: caller.workspaceID) }
            if actor == nil { faults.append("There is not exactly one person called «\(query.who)».") }
        }
        let filter = AuditFilter(
            scope: scope, action: query.action?.rawValue, actorID: actor, runID: query.runID,
            since: query.sinceDate, until: query.untilDate, before: visit.query["before"].flatMap { Int($0) },
            limit: limit)
        return (filter, faults)
    }

    private static func places(
        _ tenants: [TenantID], _ names: [UUID: NameReading.Named], _ chosen: TenantID?
    ) -> [Option] {
        tenants.compactMap { tenant in
            names[tenant.uuid].map {
                Option(value: "\(tenant)", label: $0.name, isChosen: tenant == chosen)
            }
        }.sorted { $0.label.lowercased() < $1.label.lowercased() }
    }

    private static func row(_ record: AuditReading.Named, _ reach: Reach) -> View.Row {
        let entry = record.entry
        return View.Row(
            number: Presentation.grouped(entry.id), at: MomentView(entry.at, now: reach.now),
            what: AuditWords.text(entry.action), word: entry.action,
            doer: entry.actorID == nil ? "the system" : record.actorName ?? "\(entry.actorID!)",
            doerHref: reach.seesPeople ? entry.actorID.map(Link.person) : nil,
            tenantName: entry.tenantID == nil ? "" : record.tenantName ?? "\(entry.tenantID!)",
            tenantHref: entry.tenantID.map(Link.tenant), runHref: entry.runID.map(Link.run),
            details: AuditDetail.read(entry.details, reach.names, linksPeople: reach.seesPeople))
    }

    private static func address(_ query: AuditQuery, before: Int?) -> String {
        let text = [query.text, before.map { "before=\($0)" } ?? ""].filter { !$0.isEmpty }
        return SitePage.Section.audit.href + (text.isEmpty ? "" : "?\(text.joined(separator: "&"))")
    }
}
