import Postgres
import Store

/// The pages on which many things are changed at once, by their routes.
struct BulkPages: Sendable {
    let overview: BulkOverview
    let choice: BulkChoice
    let dryRun: BulkDryRun

    init(pool: PostgresPool, starter: StarterClient) {
        let access = AccessReading(pool: pool)
        let tenants = TenantReading(pool: pool)
        let directory = DirectoryReading(pool: pool)
        overview = BulkOverview(
            recent: RecentRuns(pool: pool), names: NameReading(pool: pool), access: access)
        choice = BulkChoice(
            tenants: tenants, candidates: BulkCandidates(pool: pool), directory: directory, access: access)
        dryRun = BulkDryRun(
            tenants: tenants, candidates: BulkCandidates(pool: pool), directory: directory,
            outlook: StartOutlook(pool: pool), access: access, starter: starter, choice: choice)
    }
}

extension Site {
    func reply(to route: BulkRoute, _ visit: Visit) async throws -> Reply {
        switch route {
        case .overview: try await show(visit, bulk.overview.show)
        case .choose: try await show(visit, bulk.choice.show)
        case .look: try await answered(visit, bulk.dryRun.look)
        case .start: try await answered(visit, bulk.dryRun.start)
        }
    }
}
