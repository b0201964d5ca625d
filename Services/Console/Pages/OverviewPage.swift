import FoundationEssentials
import Operations
import Postgres
import Store

/// What runs, what waits and why, and what ended badly in the last day.
struct OverviewPage: Sendable {
    private static let hours = 24
    /// How many changes of access are shown.
    private static let barrierLimit = 5

    let pool: PostgresPool
    let access: AccessReading

    /// What the template reads.
    private struct View: Sendable {
        struct Tile: Sendable {
            let badge: BadgeView
            let count: String
            let href: String
            /// For instance «oldest 3 minutes ago».
            let note: String?
        }

        struct Cause: Sendable {
            let badge: BadgeView
            let sentence: String
            let count: String
            let href: String?
        }

        /// Something that was taken away.
        struct Barrier: Sendable {
            let what: String
            /// Nil for what concerns no single person.
            let whose: LinkView?
            let place: String
            let by: String
            let effective: MomentView
            let badge: BadgeView
            /// How long it took until nothing was on the wire; or what is in doubt.
            let words: String
        }

        let barriers: [Barrier]
        let hasBarriers: Bool
        let frozen: [LinkView]
        let tiles: [Tile]
        let waits: [Cause]
        let causes: [Cause]
        let chart: OutcomeChart?
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let visible = try await Access.tenants(of: visit.principal, holding: .operationsView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.operationsView) }
        let since = visit.now.addingTimeInterval(-3_600 * Double(Self.hours))
        let figures = try await OperationsFigures.read(
            pool, workspace: visit.principal.workspaceID, tenants: visible, since: since)
        let barriers = try await barriers(visit)
        return SitePage(
            template: "overview", title: "Overview", section: .overview,
            content: View(
                barriers: barriers, hasBarriers: !barriers.isEmpty,
                frozen: figures.frozen.map(Self.frozen), tiles: Self.tiles(figures, visit.now),
                waits: Self.waits(figures), causes: Self.causes(figures),
                chart: OutcomeChart(figures.ended, hours: Self.hours, now: visit.now)),
            isLive: true)
    }

    /// For those who manage access: of the whole workspace, or of their tenants.
    private func barriers(_ visit: Visit) async throws -> [View.Barrier] {
        let caller = visit.principal
        let everywhere = try await Access(of: caller, at: .workspace(caller.workspaceID), access)
        var tenants: [TenantID]?
        if !everywhere.holds(.accessManage) {
            let managed = try await Access.tenants(of: caller, holding: .accessManage, access)
            if managed.isEmpty { return [] }
            tenants = managed
        }
        return try await BarrierReading(pool: pool).latest(
            in: caller.workspaceID, on: tenants, limit: Self.barrierLimit
        ).map { Self.barrier($0, visit.now) }
    }

    private static func barrier(_ record: BarrierRecord, _ now: Date) -> View.Barrier {
        let words =
            record.settledAt.map {
                "off the wire \(TookEffectPage.wait($0.timeIntervalSince(record.effectiveAt))) later"
            } ?? (record.inDoubt == 1 ? "one call" : "\(Presentation.grouped(record.inDoubt)) calls")
        return View.Barrier(
            what: AuditWords.text(record.change),
            whose: record.person.map { LinkView(label: $0.name, href: Link.person($0.id)) },
            place: record.tenant?.name ?? "every tenant", by: record.by?.name ?? "the platform engineer",
            effective: MomentView(record.effectiveAt, now: now),
            badge: BadgeView(Presentation.badge(settled: record.settledAt != nil)), words: words)
    }

    private static func frozen(_ thing: OperationsFigures.Frozen) -> LinkView {
        switch thing {
        case .everything: LinkView(label: "Everything is frozen", href: SitePage.Section.access.href)
        case .workspace: LinkView(label: "The workspace is frozen", href: SitePage.Section.access.href)
        case .tenant(let id, let name): LinkView(label: "\(name) is frozen", href: Link.tenant(id))
        case .connection(let id, let name):
            LinkView(label: "The connection \(name) is frozen", href: Link.connection(id))
        }
    }

    private static func tiles(_ figures: OperationsFigures, _ now: Date) -> [View.Tile] {
        func tile(_ state: RunState, waiting: Bool, _ query: String) -> View.Tile {
            let runs = figures.active.filter { $0.state == state && ($0.reason != nil) == waiting }
            let oldest = runs.map(\.oldestQueuedAt).min()
            return View.Tile(
                badge: BadgeView(Presentation.badge(state: state, outcome: nil, isWaiting: waiting)),
                count: Presentation.grouped(runs.reduce(0) { $0 + $1.count }), href: Link.operations(query),
                note: oldest.map { "oldest \(MomentView($0, now: now).relative)" })
        }
        func tile(_ outcome: RunOutcome) -> View.Tile {
            let count = figures.ended.filter { $0.outcome == outcome }.reduce(0) { $0 + $1.count }
            return View.Tile(
                badge: BadgeView(Presentation.badge(state: .completed, outcome: outcome, isWaiting: false)),
                count: Presentation.grouped(count),
                href: Link.operations("outcome:\(outcome.rawValue) since:\(hours)h"),
                note: "in \(hours) hours")
        }
        let running = View.Tile(
            badge: BadgeView(Presentation.badge(state: .running, outcome: nil, isWaiting: false)),
            count: Presentation.grouped(
                figures.active.filter { $0.state == .running }.reduce(0) { $0 + $1.count }),
            href: Link.operations("state:running"), note: nil)
        return [
            running, tile(.queued, waiting: false, "state:queued"),
            tile(.queued, waiting: true, "state:waiting"),
            tile(.blocked), tile(.failed), tile(.partiallySucceeded), tile(.succeeded),
        ]
    }

    private static func waits(_ figures: OperationsFigures) -> [View.Cause] {
        let badge = BadgeView(Presentation.badge(state: .queued, outcome: nil, isWaiting: true))
        return figures.active.filter { $0.state == .queued }.sorted { $0.count > $1.count }.compactMap {
            active in
            active.reason.map { reason in
                View.Cause(
                    badge: badge, sentence: Presentation.sentence(reason),
                    count: Presentation.grouped(active.count),
                    href: Link.operations("state:waiting reason:\(reason.code)"))
            }
        }
    }

    private static func causes(_ figures: OperationsFigures) -> [View.Cause] {
        figures.causes.prefix(12).map { cause in
            View.Cause(
                badge: BadgeView(
                    Presentation.badge(state: .completed, outcome: cause.outcome, isWaiting: false)),
                sentence: cause.reason.map(Presentation.sentence) ?? "No reason was recorded.",
                count: Presentation.grouped(cause.count),
                href: cause.reason.map {
                    Link.operations("outcome:\(cause.outcome.rawValue) reason:\($0.code) since:\(hours)h")
                })
        }
    }
}
