import ArgumentParser
import JSON
import Operations

struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List records, newest first. Needs audit.view.",
        discussion: """
            EXAMPLES
              atlas audit list
              atlas audit list --tenant Contoso --action access.revoked
              atlas audit list --run 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10 --json
            """)

    @OptionGroup var filter: AuditOptions

    @OptionGroup var page: PageOptions

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.get(
                "/v1/audit", try await filter.query(api) + [page.query], doing: "list the audit")
            output.tell(answer) { Self.lines(answer, $0) }
        }
    }

    static func lines(_ page: JSON, _ style: Style) -> [String] {
        let records = page["records"]?.array ?? []
        guard !records.isEmpty else { return ["There are no such records."] }
        let rows = records.map { record in
            [
                Cell(record["at"].flatMap(Timestamp.init(json:)).map { style.times.text($0.date) } ?? ""),
                Cell(record["action"]?.string ?? ""),
                Cell(
                    record["actor"]?["name"]?.string ?? (record["actor"]?.isNull == true ? "the system" : "")),
                Cell(record["tenant"]?["name"]?.string ?? ""), Cell(record["run_id"]?.string ?? ""),
            ]
        }
        let lines = Table.lines(["WHEN", "WHAT", "WHO", "TENANT", "RUN"], rows, style)
        return page["next"] == nil ? lines : lines + [style.faint("There are more; see --limit, and export.")]
    }
}
