import ArgumentParser
import JSON

/// How much of a list is shown.
struct PageOptions: ParsableArguments {
    @Option(help: "How many, 1 to \(APIClient.pageLimit).")
    var limit = 20

    func validate() throws {
        guard (1...APIClient.pageLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(APIClient.pageLimit).")
        }
    }

    /// The lines of a page, and that there are more where it is not the last one.
    static func lines(_ lines: [String], of page: JSON, _ style: Style) -> [String] {
        page["next"] == nil ? lines : lines + [style.faint("There are more; see --limit.")]
    }

    /// The query of the API that asks for so many.
    var query: (String, String?) { ("limit", "\(limit)") }
}
