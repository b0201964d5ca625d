import JSON
import Operations

/// What a run did to each thing, as a person sees it.
struct RunItemsView {
    private let items: [JSON]

    init(_ items: [JSON]) { self.items = items }

    /// A line for each item, what needs attention last: it stands above the prompt.
    func lines(_ style: Style) -> [String] {
        guard !items.isEmpty else { return ["The run has recorded no items."] }
        let sorted = items.sorted { (Self.rank($0), Self.name($0)) < (Self.rank($1), Self.name($1)) }
        return Table.lines(["STATE", "RESULT", "ITEM", "DETAIL"], sorted.map(Self.row), style)
    }

    private static func row(_ item: JSON) -> [Cell] {
        let state = item["state"]?.string ?? ""
        return [
            Cell(words(state), tone(state)), Cell(words(item["result"]?.string ?? "")), Cell(name(item)),
            Cell(item["detail"]?.string ?? ""),
        ]
    }

    private static func name(_ item: JSON) -> String { item["label"]?.string ?? item["key"]?.string ?? "" }

    private static func words(_ word: String) -> String { word.replacing("_", with: " ") }

    private static func tone(_ state: String) -> Badge.Tone? {
        switch state {
        case "applied": .good
        case "failed": .bad
        case "in_doubt": .mixed
        default: nil
        }
    }

    private static func rank(_ item: JSON) -> Int {
        switch item["state"]?.string {
        case "in_doubt": 2
        case "failed": 1
        default: 0
        }
    }
}
