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

    @OptionGroup var page: PageOptions

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.get(
                "/v1/notifications", [page.query], doing: "show your notifications")
            output.tell(answer) { Self.lines(answer, $0) }
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
        return PageOptions.lines(lines, of: page, style)
    }
}
