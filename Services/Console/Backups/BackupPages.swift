import Postgres
import Store

/// The pages about backups, by their routes.
struct BackupPages: Sendable {
    let sets: BackupSetPages
    let comparison: ComparisonPage
    let restore: RestoreForms

    init(pool: PostgresPool, starter: StarterClient) {
        let backups = BackupReading(pool: pool)
        let access = AccessReading(pool: pool)
        sets = BackupSetPages(backups: backups, names: NameReading(pool: pool), access: access)
        comparison = ComparisonPage(backups: backups, access: access)
        restore = RestoreForms(
            backups: backups, runs: RunReading(pool: pool), ledger: Ledger(pool: pool), access: access,
            starter: starter)
    }
}

extension Site {
    func reply(to route: BackupRoute, _ visit: Visit) async throws -> Reply {
        switch route {
        case .list: return try await show(visit, backups.sets.list)
        case .set(let id): return try await show(visit) { try await backups.sets.set(id, $0) }
        case .item(let set, let item):
            return try await show(visit) { try await backups.sets.item(item, of: set, $0) }
        case .comparison: return try await show(visit, backups.comparison.show)
        case .preview(let id):
            return try await answered(visit) { try await backups.restore.preview(id, $0, $1) }
        case .restore(let id):
            return try await answered(visit) { try await backups.restore.restore(id, $0, $1) }
        }
    }
}
