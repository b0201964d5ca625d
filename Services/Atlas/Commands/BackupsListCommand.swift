import ArgumentParser
import JSON
import Operations

struct BackupsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List a tenant's backup sets, newest first.",
        discussion: """
            «atlas start backup.run» makes one. Sets with the same CONTENT are equal.

            EXAMPLES
              atlas backups list --tenant Contoso
              atlas backups list --tenant Contoso --limit 200 --json
            """)

    @Option(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @OptionGroup var page: PageOptions

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            let answer = try await api.get(
                "/v1/tenants/\(place.id)/backups", [page.query], doing: "list backups")
            output.tell(answer) { Self.lines(answer, $0) }
        }
    }

    static func lines(_ page: JSON, _ style: Style) -> [String] {
        let sets = (page["backups"]?.array ?? []).map(BackupView.init)
        guard !sets.isEmpty else { return ["There are no backups of this tenant."] }
        let lines = Table.lines(BackupView.header, sets.map { $0.row(style) }, style)
        return PageOptions.lines(lines, of: page, style)
    }
}
