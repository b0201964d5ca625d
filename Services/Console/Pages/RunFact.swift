import FoundationEssentials
import Operations
import Store

/// One thing that is to be known about a run, as its page shows it: a text, a link or a moment.
struct RunFact: Sendable {
    let name: String
    let text: String?
    let link: LinkView?
    let moment: MomentView?

    private init(_ name: String, _ text: String) {
        (self.name, self.text, link, moment) = (name, text, nil, nil)
    }

    private init(_ name: String, _ link: LinkView) {
        (self.name, text, self.link, moment) = (name, nil, link, nil)
    }

    private init(_ name: String, _ moment: MomentView) {
        (self.name, text, link, self.moment) = (name, nil, nil, moment)
    }

    /// `set` is the backup set that it made or restores from, `schedule` the one that started it if it is still there.
    static func all(
        of run: RunDetail, _ set: BackupSummary?, _ schedule: ScheduleID?, _ now: Date
    ) -> [RunFact] {
        let summary = run.summary
        var facts = [
            RunFact(
                "Tenant", LinkView(label: summary.tenant.name, href: Link.tenant(summary.tenant.id))),
            RunFact(
                "Connection",
                LinkView(label: summary.connection.name, href: Link.connection(summary.connection.id))),
            RunFact("Started by", summary.initiator?.name ?? "the system"),
            RunFact("Queued", MomentView(summary.queuedAt, now: now)),
        ]
        func add(_ name: String, _ date: Date?) {
            if let date { facts.append(RunFact(name, MomentView(date, now: now))) }
        }
        add("Began", summary.startedAt)
        add("Ended", summary.completedAt)
        if let seconds = summary.seconds(now: now) {
            facts.append(RunFact("Took", Presentation.length(seconds)))
        }
        add("Next attempt", summary.nextAttemptAt)
        if summary.state != .completed { add("Gives up", summary.expiresAt) }
        if summary.attempt > 1 { facts.append(RunFact("Attempt", "\(summary.attempt)")) }
        if let schedule {
            facts.append(
                RunFact("Started", LinkView(label: "by a schedule", href: Link.schedule(schedule))))
        } else if summary.scheduleID != nil {
            facts.append(RunFact("Started", "by a schedule that is no more"))
        }
        if let set {
            let link = LinkView(
                label: Times(now: now, isExact: true) { _ in 0 }.exact(set.startedAt),
                href: Link.backup(set.id))
            facts.append(RunFact(set.id == summary.id ? "Made" : "Backup", link))
        }
        if let first = summary.retryOf {
            facts.append(RunFact("Retry of", LinkView(label: "\(first)", href: Link.run(first))))
        }
        for retry in run.retries {
            facts.append(RunFact("Retried by", LinkView(label: "\(retry)", href: Link.run(retry))))
        }
        return facts
    }
}
