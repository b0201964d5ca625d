import JSON
import Operations

/// What a change would stop, as pages show it.
struct OutlookView: Sendable {
    struct Run: Sendable {
        let label: String
        let href: String
        let tenant: String
        let startedBy: String
        let badge: BadgeView
        /// Whether it ends; else it waits.
        let ends: Bool
        let why: String
    }

    struct Schedule: Sendable {
        let label: String
        let tenant: String
        let runsAs: String
        let why: String
    }

    let summary: String
    let runs: [Run]
    let schedules: [Schedule]
    let hasRuns: Bool
    let hasSchedules: Bool
    /// Whether there are more than are shown.
    let isCut: Bool

    /// The API's answer to «what if».
    init(_ answer: JSON) {
        runs = (answer["runs"]?.array ?? []).map(Run.init)
        schedules = (answer["schedules"]?.array ?? []).map(Schedule.init)
        hasRuns = !runs.isEmpty
        hasSchedules = !schedules.isEmpty
        let (runCount, scheduleCount) = (
            answer["run_count"]?.integer ?? 0, answer["schedule_count"]?.integer ?? 0
        )
        let isWhole = answer["whole"]?.bool != false
        isCut = runs.count < runCount || schedules.count < scheduleCount || !isWhole
        summary = Self.summary(runCount, scheduleCount, isWhole: isWhole)
    }

    private static func summary(_ runs: Int, _ schedules: Int, isWhole: Bool) -> String {
        guard runs + schedules > 0 else {
            return isWhole
                ? "It would stop nothing that is queued, running or scheduled now."
                : "Of the oldest runs and schedules, it would stop none. There are more than were looked at."
        }
        let parts = [number(runs, "run"), number(schedules, "schedule")].compactMap(\.self)
        return "It would stop \(isWhole ? "" : "at least ")\(parts.joined(separator: " and "))."
    }

    private static func number(_ count: Int, _ noun: String) -> String? {
        count == 0 ? nil : "\(Presentation.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }
}

extension OutlookView.Run {
    fileprivate init(_ run: JSON) {
        let state = run["state"]?.string.flatMap(RunState.init) ?? .queued
        self.init(
            label: run["label"]?.string ?? "",
            href: run["run_id"]?.string.flatMap { RunID($0) }.map(Link.run)
                ?? SitePage.Section.operations.href,
            tenant: run["tenant"]?.string ?? "", startedBy: run["initiator"]?.string ?? "the system",
            badge: BadgeView(Presentation.badge(state: state, outcome: nil, isWaiting: false)),
            ends: run["ends"]?.bool == true, why: run["reason"]?["sentence"]?.string ?? "")
    }
}

extension OutlookView.Schedule {
    fileprivate init(_ schedule: JSON) {
        self.init(
            label: schedule["label"]?.string ?? "", tenant: schedule["tenant"]?.string ?? "",
            runsAs: schedule["person"]?.string ?? "the system",
            why: schedule["reason"]?["sentence"]?.string ?? "")
    }
}
