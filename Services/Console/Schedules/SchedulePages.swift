import FoundationEssentials
import Postgres
import ServiceKit
import Store

/// The pages on which people let operations start by themselves, by their routes.
struct SchedulePages: Sendable {
    let list: ScheduleListPage
    let page: SchedulePage
    let form: ScheduleForm

    init(pool: PostgresPool, starter: StarterClient) {
        let access = AccessReading(pool: pool)
        // It only reads: the Starter makes them.
        let schedules = Schedules(pool: pool, makeID: UUID.timeOrdered)
        list = ScheduleListPage(schedules: schedules, names: NameReading(pool: pool), access: access)
        page = SchedulePage(
            schedules: schedules, recent: RecentRuns(pool: pool), access: access, starter: starter)
        form = ScheduleForm(
            names: NameReading(pool: pool), outlook: StartOutlook(pool: pool), access: access,
            starter: starter)
    }
}

extension Site {
    func reply(to route: ScheduleRoute, _ visit: Visit) async throws -> Reply {
        switch route {
        case .list: try await show(visit, schedules.list.show)
        case .schedule(let id): try await show(visit) { try await schedules.page.show(id, $0) }
        case .new: try await show(visit, schedules.form.new)
        case .create: try await answered(visit, schedules.form.create)
        case .change(let id): try await answered(visit) { try await schedules.page.change(id, $0, $1) }
        }
    }
}
