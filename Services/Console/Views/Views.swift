import FoundationEssentials
import Operations
import Store

/// A badge as the template `badge` shows it.
struct BadgeView: Sendable {
    let label: String
    let tone: String
    let icon: String

    init(_ badge: Badge) {
        label = badge.label
        tone = badge.tone.rawValue
        icon = badge.icon
    }
}

/// A moment as the template `moment` shows it.
struct MomentView: Sendable {
    /// For instance «3 minutes ago».
    let relative: String
    /// With its zone.
    let exact: String
    let iso: String

    init(_ date: Date, now: Date) {
        let times = Times(now: now, isExact: false) { _ in 0 }
        // Seconds that count up would make every page with a young run say something new each second.
        relative =
            (5..<60).contains(now.timeIntervalSince(date)) ? "less than a minute ago" : times.relative(date)
        exact = times.exact(date)
        iso = Timestamp(date).description
    }
}

/// How far a run is as the template `progress` shows it.
struct ProgressView: Sendable {
    let text: String
    let done: Int
    /// Nil while it is not known how much there is.
    let total: Int?

    init(_ progress: RunSummary.Progress, elapsed: Double?) {
        text = Presentation.progress(progress.done, of: progress.total, elapsed: elapsed)
        done = progress.done
        total = progress.total.flatMap { $0 > 0 ? $0 : nil }
    }
}

/// A name that leads somewhere.
struct LinkView: Sendable {
    let label: String
    let href: String
}

/// A run as lists show it.
struct RunRow: Sendable {
    let id: String
    let href: String
    let label: String
    let badge: BadgeView
    let tenant: String
    let connection: LinkView
    let startedBy: String
    let queued: MomentView
    /// How long it has been running, or ran.
    let took: String?
    let reason: String?
    let progress: ProgressView?

    init(_ run: RunSummary, now: Date) {
        id = "\(run.id)"
        href = Link.run(run.id)
        label = run.label
        badge = BadgeView(run.badge)
        tenant = run.tenant.name
        connection = LinkView(label: run.connection.name, href: Link.connection(run.connection.id))
        startedBy = run.initiator?.name ?? "the system"
        queued = MomentView(run.queuedAt, now: now)
        took = run.seconds(now: now).map(Presentation.length)
        reason = run.reason.map(Presentation.sentence)
        progress =
            run.state == .completed
            ? nil : run.progress.map { ProgressView($0, elapsed: run.seconds(now: now)) }
    }
}

extension RunSummary {
    /// What people read for the operation; its stored name when this version does not know it.
    var label: String { OperationCatalogue.definition(named: operation)?.label ?? operation }

    var badge: Badge {
        Presentation.badge(state: state, outcome: outcome, isWaiting: state == .queued && reason != nil)
    }

    /// How long it has been running, or ran; nil when it never did.
    func seconds(now: Date) -> Double? {
        startedAt.map { (completedAt ?? now).timeIntervalSince($0) }
    }
}
