import FoundationEssentials
import Operations
import Store

/// One schedule: when it is due, what it started, and whether it would run; pausing, resuming and removing it.
struct SchedulePage: Sendable {
    private static let pageLimit = 20

    let schedules: Schedules
    let recent: RecentRuns
    let access: AccessReading
    let starter: StarterClient

    private struct View: Sendable {
        let schedule: ScheduleRow
        let cron: String
        let zone: String
        let parameters: String?
        let madeBy: String
        let made: MomentView
        let moments: [DueView]
        /// Why the visitor can't pause or remove it, and can't resume it; nil when it is possible.
        let lessObstacle: String?
        let moreObstacle: String?
        let rows: [RunRow]
        let isEmpty: Bool
        let next: String?
        let first: String?
    }

    func show(_ id: ScheduleID, _ visit: Visit) async throws -> SitePage {
        let standing = try await standing(id, visit)
        let schedule = standing.schedule
        let before = visit.query["before"].flatMap { RunID($0) }
        let page = try await recent.runs(
            startedBy: id, on: schedule.tenant.id, before: before, limit: Self.pageLimit)
        let row = ScheduleRow(schedule, now: visit.now)
        return SitePage(
            template: "schedule", title: "\(row.label) on \(row.tenant)", section: .schedules,
            content: View(
                schedule: row, cron: schedule.cron, zone: schedule.timeZone,
                parameters: schedule.parameters?.indented, madeBy: schedule.createdBy.name,
                made: MomentView(schedule.createdAt, now: visit.now),
                moments: schedule.isEnabled
                    ? schedule.cadence.map { DueView.next($0, now: visit.now) } ?? [] : [],
                lessObstacle: Self.obstacle(standing.requireLess),
                moreObstacle: Self.obstacle(standing.requireMore),
                rows: page.entries.map { RunRow($0, now: visit.now) }, isEmpty: page.entries.isEmpty,
                next: page.hasMore ? page.entries.last.map { "\(row.href)?before=\($0.id)" } : nil,
                first: before == nil ? nil : row.href),
            isLive: true)
    }

    /// Throws what pages say for who may not see it.
    private func standing(_ id: ScheduleID, _ visit: Visit) async throws -> ScheduleAccess {
        let standing = try await ScheduleAccess(of: visit.principal, to: id, schedules, access)
        try standing.place.require(.operationsView)
        return standing
    }

    private static func obstacle(_ require: () throws -> Void) -> String? {
        do {
            try require()
            return nil
        } catch AccessRefusal.lacks(let capability), AccessRefusal.outsideToken(let capability) {
            return "Your role here does not include \(capability.rawValue)."
        } catch {
            return ScheduleAccess.OfAnotherPerson.sentence
        }
    }

    // MARK: changing

    func change(_ id: ScheduleID, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let standing = try await standing(id, visit)
        switch form["change"] {
        case "pause":
            try standing.requireLess()
            return await done("POST", "/v1/schedules/\(id)/pause", id, "It is paused: nothing is due.", visit)
        case "resume":
            try standing.requireMore()
            return await done(
                "POST", "/v1/schedules/\(id)/resume", id,
                "It goes on. What was due meanwhile is not made up for.", visit)
        case "remove":
            try standing.requireLess()
            guard form.isConfirmed else { return .page(Self.question(standing.schedule, form, visit)) }
            return await removed(id, visit)
        default: throw Fault.invalid("Choose what to do with the schedule.")
        }
    }

    private func done(
        _ method: String, _ path: String, _ id: ScheduleID, _ words: String, _ visit: Visit
    ) async -> FormAnswer {
        let answer = await starter.send(method, path, as: visit.secret)
        return .done(
            Outcome(
                path: Link.schedule(id),
                notice: answer.isSuccess ? Notice(.good, words) : Notice(.bad, answer.detail)))
    }

    private func removed(_ id: ScheduleID, _ visit: Visit) async -> FormAnswer {
        let answer = await starter.send("DELETE", "/v1/schedules/\(id)", as: visit.secret)
        guard answer.isSuccess else {
            return .done(Outcome(path: Link.schedule(id), notice: Notice(.bad, answer.detail)))
        }
        return .done(
            Outcome(
                path: SitePage.Section.schedules.href, notice: Notice(.good, "The schedule was removed.")))
    }

    private static func question(_ schedule: Schedule, _ form: FormBody, _ visit: Visit) -> SitePage {
        let row = ScheduleRow(schedule, now: visit.now)
        return Question(
            "Remove the schedule of \(row.label) on \(row.tenant)?",
            [
                "It is due \(row.cadence), and runs as \(row.runsAs). It is not due any more from then on.",
                "The runs that it started stay, and what is queued or running goes on. To stop it for a while only,"
                    + " pause it.",
            ], action: row.href, form, button: "Remove it", origin: row.href
        ).page(.schedules)
    }
}
