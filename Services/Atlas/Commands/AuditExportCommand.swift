import ArgumentParser
import JSON

struct AuditExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print records as JSON lines, newest first. Needs audit.view.",
        discussion: """
            EXAMPLES
              atlas audit export
              atlas audit export --tenant Contoso --since 30d
            """)

    @OptionGroup var filter: AuditOptions

    func run() async throws {
        let terminal = Terminal.standard
        try await Settings().withAPI { api in
            let query = try await filter.query(api) + [("limit", "\(APIClient.pageLimit)")]
            var cursor: String?
            repeat {
                let page = try await api.get(
                    "/v1/audit", query + [("cursor", cursor)], doing: "export the audit")
                for record in page["records"]?.array ?? [] { terminal.line(record.text) }
                cursor = page["next"]?.string
            } while cursor != nil
        }
    }
}
