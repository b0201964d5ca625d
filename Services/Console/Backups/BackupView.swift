import FoundationEssentials
import Operations
import ServiceKit
import Store

/// A backup set as pages show it.
struct BackupView: Sendable {
    /// How much of a hash people see: enough to tell contents apart.
    static let hashLength = 12

    let id: String
    let href: String
    let run: String
    let tenant: LinkView
    let connection: LinkView
    let started: MomentView
    let badge: BadgeView
    let isComplete: Bool
    let kinds: String
    let items: String
    /// Nil while it is a part.
    let content: String?

    init(_ set: BackupSummary, now: Date) {
        id = "\(set.id)"
        href = Link.backup(set.id)
        run = Link.run(set.id)
        tenant = LinkView(label: set.tenant.name, href: Link.tenant(set.tenant.id))
        connection = LinkView(label: set.connection.name, href: Link.connection(set.connection.id))
        started = MomentView(set.startedAt, now: now)
        isComplete = set.completedAt != nil
        badge = BadgeView(Presentation.badge(backupIsComplete: isComplete))
        kinds =
            set.kinds.count == PolicyKind.allCases.count
            ? "all" : set.kinds.map(\.word).joined(separator: ", ")
        items = Presentation.grouped(set.items)
        content = set.contentHash.map(Self.short)
    }

    /// The beginning of a hash.
    static func short(_ hash: [UInt8]) -> String { String(Hex.text(hash).prefix(hashLength)) }
}

/// One policy of a backup set as pages show it.
struct BackupItemView: Sendable {
    let id: String
    let href: String
    let kind: String
    let name: String
    let version: String
    /// How many secrets no backup can hold; nil when there is none.
    let secrets: String?

    init(_ item: BackupItem, of set: RunID) {
        id = item.id.uuidString.lowercased()
        href = Link.backupItem(item.id, of: set)
        kind = item.kind.word
        name = item.name ?? item.policyID
        version = BackupView.short(item.version)
        secrets = item.secrets == 0 ? nil : "\(item.secrets)"
    }
}
