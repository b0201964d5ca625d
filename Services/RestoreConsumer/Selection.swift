import Foundation
import Operations
import Store

/// What a run restores: items of one complete backup set of its own connection, in the order in which they depend on
/// each other.
struct Selection: Sendable {
    /// One chosen item.
    struct Item: Sendable, Hashable {
        let id: UUID
        /// Nil when the set has no such item.
        let stored: BackupItem?

        /// Its key in the ledger.
        var key: String { id.uuidString.lowercased() }
    }

    /// The most items of a set that are selected by «all».
    static let limit = 5_000

    /// What others refer to comes first; what locks people out comes last.
    private static let order: [PolicyKind] = [
        .scopeTag, .assignmentFilter, .deviceScript, .mobileApp, .deviceConfiguration,
        .settingsCatalogPolicy, .compliancePolicy, .iosAppProtection, .androidAppProtection,
        .conditionalAccessPolicy,
    ]

    let set: RunID
    let items: [Item]
    /// All items of the set: their objects are spoken for, whether they are selected or not.
    let all: [BackupItem]

    /// Reads the selection; nil when there is no such set, when it is of another connection, only a part, or too large.
    static func read(
        _ parameters: RestoreParameters, for run: QueuedExecution, from backups: BackupReading
    ) async throws -> Selection? {
        guard let set = try await backups.set(parameters.backupID), set.tenant.id == run.tenantID,
            set.connection.id == run.connectionID, set.completedAt != nil,
            parameters.items != nil || set.items <= limit
        else { return nil }
        var all: [BackupItem] = []
        var page: Page<BackupItem>
        repeat {
            page = try await backups.items(
                of: set.id, in: run.tenantID, after: all.last?.id, limit: Page<BackupItem>.limit)
            all += page.entries
        } while page.hasMore
        let stored = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
        let chosen = parameters.items?.map(\.uuid) ?? all.map(\.id)
        return Selection(set: set.id, items: chosen.map { Item(id: $0, stored: stored[$0]) }, all: all)
    }

    private init(set: RunID, items: [Item], all: [BackupItem]) {
        self.set = set
        self.all = all
        self.items = items.sorted { left, right in
            (Self.rank(left), left.key) < (Self.rank(right), right.key)
        }
    }

    private static func rank(_ item: Item) -> Int {
        item.stored.flatMap { order.firstIndex(of: $0.kind) } ?? order.count
    }
}
