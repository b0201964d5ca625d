import FoundationEssentials
import JSON
import Operations
import Store

/// What changed from one backup set to a later one of the same connection, policy by policy and member by member.
struct ComparisonPage: Sendable {
    /// As many as documents are read at once.
    private static let pageLimit = BackupReading.documentLimit
    /// The most places of one policy that are shown.
    private static let placeLimit = 100
    /// The most characters of a value that are shown.
    private static let valueLimit = 1_000

    let backups: BackupReading
    let access: AccessReading

    private struct View: Sendable {
        struct Place: Sendable {
            /// For instance «assignments › 3 › target».
            let path: String
            let before: String?
            let after: String?
        }

        struct Row: Sendable {
            let item: BackupItemView
            let word: String
            let tone: String
            let icon: String
            let places: [Place]
            /// How many more places differ; nil when all are shown.
            let more: String?
            /// What is to be said when there is no place to show.
            let remark: String?
        }

        let earlier: BackupView
        let later: BackupView
        let summary: String
        let unchanged: String
        /// What makes that less than it seems.
        let cautions: [String]
        let rows: [Row]
        let isEqual: Bool
        let next: String?
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let ids = visit.query.all("set").compactMap { RunID($0) }
        guard ids.count == 2, ids[0] != ids[1] else {
            throw Fault.invalid("Choose two backups of the same connection, and compare them.")
        }
        var sets: [BackupSummary] = []
        for id in ids {
            try await Access(of: visit.principal, at: .backup(id), access).require(.providerView)
            guard let set = try await backups.set(id) else { throw Fault.notFound }
            sets.append(set)
        }
        sets.sort { $0.startedAt < $1.startedAt }
        let (earlier, later) = (sets[0], sets[1])
        guard earlier.connection.id == later.connection.id else {
            throw Fault.invalid(
                "These are backups of two connections. Only backups of the same connection can be compared.")
        }
        return try await page(from: earlier, to: later, visit)
    }

    private func page(
        from earlier: BackupSummary, to later: BackupSummary, _ visit: Visit
    ) async throws -> SitePage {
        let tenant = later.tenant.id
        let kinds = later.kinds.filter(earlier.kinds.contains)
        let counts = try await backups.comparison(of: earlier.id, with: later.id, in: tenant, kinds: kinds)
        let page = try await backups.differences(
            of: earlier.id, with: later.id, in: tenant, kinds: kinds,
            after: visit.query["after"].flatMap(UUID.init(uuidString:)), limit: Self.pageLimit)
        let changed = page.entries.filter { $0.before != nil && $0.after != nil }.map(\.item.id)
        let before = try await documents(changed, of: earlier)
        let after = try await documents(changed, of: later)
        return SitePage(
            template: "comparison", title: "What changed", section: .backups,
            content: View(
                earlier: BackupView(earlier, now: visit.now), later: BackupView(later, now: visit.now),
                summary: Self.summary(counts), unchanged: Presentation.grouped(counts.unchanged),
                cautions: Self.cautions(earlier, later),
                rows: page.entries.map { difference in
                    let id = difference.item.id
                    return Self.row(
                        difference, before[id], after[id], of: difference.after == nil ? earlier.id : later.id
                    )
                },
                isEqual: counts.differing == 0,
                next: page.hasMore
                    ? page.entries.last.map {
                        "\(Link.comparison(of: earlier.id, with: later.id))&after="
                            + $0.item.id.uuidString.lowercased()
                    } : nil))
    }

    private func documents(_ items: [UUID], of set: BackupSummary) async throws -> [UUID: JSON] {
        guard !items.isEmpty else { return [:] }
        let documents = try await backups.documents(items, of: set.id, in: set.tenant.id)
        return Dictionary(uniqueKeysWithValues: documents.map { ($0.item.id, .object($0.content)) })
    }

    private static func row(
        _ difference: BackupComparison.Difference, _ before: JSON?, _ after: JSON?, of set: RunID
    ) -> View.Row {
        let item = BackupItemView(difference.item, of: set)
        guard let before, let after else {
            return difference.before == nil
                ? View.Row(
                    item: item, word: "added", tone: "good", icon: "+", places: [], more: nil, remark: nil)
                : View.Row(
                    item: item, word: "removed", tone: "bad", icon: "−", places: [], more: nil, remark: nil)
        }
        let found = DocumentDifference.all(from: before, to: after)
        let hidden = found.count - placeLimit
        return View.Row(
            item: item, word: "changed", tone: "mixed", icon: "Δ",
            places: found.prefix(placeLimit).map(place),
            more: hidden > 0 ? Presentation.grouped(hidden) : nil,
            remark: found.isEmpty ? "Only members that are empty differ." : nil)
    }

    private static func place(_ difference: DocumentDifference) -> View.Place {
        View.Place(
            path: difference.path.isEmpty ? "the whole" : difference.path.joined(separator: " › "),
            before: difference.before.map(text), after: difference.after.map(text))
    }

    /// A value for people: a text as it is, everything else as a document.
    private static func text(_ value: JSON) -> String {
        let text = value.string ?? value.indented
        guard text.count > valueLimit else { return text.isEmpty ? "(an empty text)" : text }
        return text.prefix(valueLimit) + " …"
    }

    private static func summary(_ counts: BackupComparison.Counts) -> String {
        let parts = [
            (counts.added, "added"), (counts.removed, "removed"), (counts.changed, "changed"),
        ].filter { $0.0 > 0 }.map { "\(Presentation.grouped($0.0)) \($0.1)" }
        return parts.isEmpty ? "Nothing changed" : parts.joined(separator: ", ")
    }

    private static func cautions(_ earlier: BackupSummary, _ later: BackupSummary) -> [String] {
        var cautions: [String] = []
        let single = Set(earlier.kinds).symmetricDifference(later.kinds)
        if !single.isEmpty {
            let words = single.map(\.word).sorted().joined(separator: ", ")
            cautions.append("Only one of the two was to have these kinds, which are left out: \(words).")
        }
        if earlier.completedAt == nil || later.completedAt == nil {
            cautions.append(
                "One of the two is only a part: what it lacks was perhaps not removed, but not read.")
        }
        return cautions
    }
}
