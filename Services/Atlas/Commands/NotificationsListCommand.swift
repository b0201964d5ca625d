import ArgumentParser
import FoundationEssentials
import JSON
import Operations

struct NotificationsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show your own inbox, newest first.",
        discussion: """
            EXAMPLES
              atlas notifications list
              atlas notifications list --limit 5 --exact
            """)

    @Option(help: "How many, 1 to \(APIClient.pageLimit).")
    var limit = 20

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard (1...APIClient.pageLimit).contains(limit) else {
            throw ValidationError("--limit must be 1 to \(APIClient.pageLimit).")
        }
    }

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let page = try await api.get(
                "/v1/notifications", [("limit", "\(limit)")], doing: "show your notifications")
            output.tell(page) { Self.lines(page, $0) }
        }
    }

    static func lines(_ page: JSON, _ style: Style) -> [String] {
        let entries = page["notifications"]?.array ?? []
        guard !entries.isEmpty else { return ["Your inbox is empty."] }
        let lines = entries.flatMap { entry in
            let at = entry["created_at"].flatMap(Timestamp.init(json:))?.date
            return [
                style.bold(Style.plain(entry["title"]?.string ?? ""))
                    + (at.map { "  " + style.faint(style.times.text($0)) } ?? ""),
                "  " + Style.plain(entry["body"]?.string ?? ""),
                "  View run: atlas runs show \(Style.plain(entry["run_id"]?.string ?? ""))",
            ]
        }
        return page["next"] == nil ? lines : lines + [style.faint("There are more; see --limit.")]
    }
}
