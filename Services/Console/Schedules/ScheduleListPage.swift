import FoundationEssentials
import Operations
import Store

/// What starts by itself, when next, and whether it would run.
struct ScheduleListPage: Sendable {
    private static let pageLimit = 50

    let schedules: Schedules
    let names: NameReading
    let access: AccessReading

    private struct View: Sendable {
        let rows: [ScheduleRow]
        let isEmpty: Bool
        let next: String?
        /// The tenant whose schedules alone are shown.
        let ofTenant: LinkView?
        /// Where a new one is made; nil for a visitor who may make none.
        let new: String?
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let caller = visit.principal
        let tenant = visit.query["tenant"].flatMap { TenantID($0) }
        var places = try await Access.tenants(of: caller, holding: .operationsView, access)
        if let tenant {
            try await Access(of: caller, at: .tenant(tenant), access).require(.operationsView)
            places = [tenant]
        }
        guard !places.isEmpty else { throw Fault.forbidden(.operationsView) }
        let page = try await schedules.list(
            of: places, after: visit.query["after"].flatMap { ScheduleID($0) }, limit: Self.pageLimit)
        let name = try await names.names(
            of: tenant.map { [$0.uuid] } ?? [], in: caller.workspaceID, on: places)
        let mayMake = try await !ScheduleForm.places(of: caller, access).isEmpty
        return SitePage(
            template: "schedules", title: "Schedules", section: .schedules,
            content: View(
                rows: page.entries.map { ScheduleRow($0, now: visit.now) }, isEmpty: page.entries.isEmpty,
                next: page.hasMore ? page.entries.last.map { Self.address(tenant, after: $0.id) } : nil,
                ofTenant: tenant.map {
                    LinkView(label: name[$0.uuid]?.name ?? "\($0)", href: Link.tenant($0))
                }, new: mayMake ? ScheduleForm.address : nil),
            isLive: true)
    }

    private static func address(_ tenant: TenantID?, after: ScheduleID) -> String {
        "\(SitePage.Section.schedules.href)?after=\(after)" + (tenant.map { "&tenant=\($0)" } ?? "")
    }
}
