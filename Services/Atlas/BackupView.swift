import FoundationEssentials
import JSON
import Operations

/// A backup set from the API, as a person sees it.
struct BackupView {
    /// How much of a hash people see: enough to tell sets and versions apart.
    private static let hashLength = 12

    private let backup: JSON

    init(_ backup: JSON) { self.backup = backup }

    /// The columns of a list.
    static let header = ["STATE", "STARTED", "ITEMS", "KINDS", "CONTENT", "BACKUP"]

    func row(_ style: Style) -> [Cell] {
        [
            state, Cell(date("started_at").map(style.times.text) ?? ""), Cell(count), Cell(kinds),
            Cell(content), Cell(id),
        ]
    }

    /// Everything about it and its items.
    func lines(_ items: [JSON], _ style: Style) -> [String] {
        var facts: [(String, Cell)] = [
            ("backup", Cell(id)), ("tenant", Cell(backup["tenant"]?["name"]?.string ?? "")),
            ("connection", Cell(backup["provider_connection"]?["display_name"]?.string ?? "")),
            ("state", state), ("started", Cell(date("started_at").map(style.times.text) ?? "")),
        ]
        if let completed = date("completed_at") {
            facts.append(("completed", Cell(style.times.text(completed))))
        }
        facts += [("kinds", Cell(kinds)), ("content", Cell(content)), ("items", Cell(count))]
        let rows = items.map(Self.row).sorted { left, right in
            left.map(\.text).lexicographicallyPrecedes(right.map(\.text))
        }
        let table = Table.lines(["KIND", "NAME", "VERSION", "MASKED SECRETS", "ITEM"], rows, style)
        return Table.pairs(facts, style) + (rows.isEmpty ? [] : [""] + table)
    }

    private static func row(_ item: JSON) -> [Cell] {
        let secrets = item["masked_secrets"]?.integer ?? 0
        return [
            Cell(words(item["kind"]?.string)), Cell(item["name"]?.string ?? ""),
            Cell(short(item["version_id"]?.string)), secrets == 0 ? "" : Cell("\(secrets)", .mixed),
            Cell(item["item_id"]?.string ?? ""),
        ]
    }

    private var id: String { backup["backup_id"]?.string ?? "" }

    private var state: Cell { date("completed_at") == nil ? Cell("a part", .mixed) : Cell("complete", .good) }

    private var count: String { backup["item_count"]?.integer.map(Presentation.grouped) ?? "" }

    private var content: String { Self.short(backup["content_hash"]?.string) }

    private var kinds: String {
        let kinds = (backup["kinds"]?.array ?? []).compactMap(\.string)
        return kinds.count == PolicyKind.allCases.count
            ? "all" : kinds.map(Self.words).joined(separator: ", ")
    }

    private func date(_ name: String) -> Date? { backup[name].flatMap(Timestamp.init(json:))?.date }

    private static func words(_ kind: String?) -> String { kind?.replacing("_", with: " ") ?? "" }

    private static func short(_ hash: String?) -> String { String(hash?.prefix(hashLength) ?? "") }
}
