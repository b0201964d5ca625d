import FoundationEssentials
import Operations
import Store

/// A schedule as pages show it.
struct ScheduleRow: Sendable {
    struct Last: Sendable {
        let badge: BadgeView
        let href: String
        let at: MomentView
    }

    let id: String
    let href: String
    let label: String
    let tenant: String
    let tenantHref: String
    let connection: LinkView
    /// For instance «every day at 02:30 (Europe/Zurich)».
    let cadence: String
    let isPaused: Bool
    let next: MomentView?
    let last: Last?
    let runsAs: String
    /// Why it would be refused if it were due now, and who could do what about it; nil when it would not be.
    let obstacle: String?
    let remedy: String?
    /// What a due moment waits for; nil when none waits.
    let waits: String?

    init(_ schedule: Schedule, now: Date) {
        id = "\(schedule.id)"
        href = Link.schedule(schedule.id)
        label = OperationCatalogue.definition(named: schedule.operation)?.label ?? schedule.operation
        tenant = schedule.tenant.name
        tenantHref = Link.tenant(schedule.tenant.id)
        connection = LinkView(
            label: schedule.connection.name, href: Link.connection(schedule.connection.id))
        cadence = schedule.cadence?.words ?? "\(schedule.cron) (\(schedule.timeZone))"
        isPaused = !schedule.isEnabled
        next = schedule.nextDueAt.map { MomentView($0, now: now) }
        last = schedule.lastRun.map { run in
            Last(
                badge: BadgeView(
                    Presentation.badge(
                        state: run.state, outcome: run.outcome,
                        isWaiting: run.state == .queued && run.reason != nil)),
                href: Link.run(run.id), at: MomentView(run.queuedAt, now: now))
        }
        runsAs = schedule.person?.name ?? "the system"
        obstacle = schedule.obstacle.map { Presentation.sentence(.denial($0)) }
        remedy = schedule.obstacle.map { Presentation.remedy(.denial($0), isOver: false) }
        waits = schedule.waitsFor.map {
            FiringAnswer.Obstacle(rawValue: $0)?.words ?? $0.replacing("_", with: " ")
        }
    }
}

/// A moment at which something is due, as its zone's clocks show it.
struct DueView: Sendable {
    /// The most moments that are shown.
    static let limit = 5

    /// For instance «2026-11-21 02:30:00 +01:00».
    let local: String
    let at: MomentView

    /// The next ``limit`` moments.
    static func next(_ cadence: Cadence, now: Date) -> [DueView] {
        let times = Times(now: now, isExact: true) { cadence.zone.offset(at: $0) }
        var moments: [DueView] = []
        var moment = now
        while moments.count < limit {
            moment = cadence.next(after: moment)
            moments.append(DueView(local: times.exact(moment), at: MomentView(moment, now: now)))
        }
        return moments
    }
}
