import ArgumentParser
import JSON
import Operations

struct GroupsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the groups of a tenant's directory by name.",
        discussion: """
            It shows what the last «atlas start inventory.sync» found. An assignment names a
            group by its id.

            EXAMPLES
              atlas groups list Contoso --name sales
              atlas groups list Contoso --limit 200 --json
            """)

    @Argument(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @Option(help: "Only those whose name contains this, in any letter case.")
    var name: String?

    @OptionGroup var page: PageOptions

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            let answer = try await api.get(
                "/v1/tenants/\(place.id)/groups", [("name", name), page.query], doing: "list groups")
            output.tell(answer) { Self.lines(answer, $0) }
        }
    }

    static func lines(_ page: JSON, _ style: Style) -> [String] {
        let groups = page["groups"]?.array ?? []
        guard !groups.isEmpty else {
            return ["There are no such groups; «atlas start inventory.sync» reads them."]
        }
        let lines = Table.lines(
            ["NAME", "CONNECTION", "SEEN", "GROUP"], groups.map { row($0, style) }, style)
        return PageOptions.lines(lines, of: page, style)
    }

    private static func row(_ group: JSON, _ style: Style) -> [Cell] {
        let seen = group["seen_at"].flatMap(Timestamp.init(json:))?.date
        return [
            Cell(group["display_name"]?.string ?? ""),
            Cell(group["provider_connection"]?["display_name"]?.string ?? ""),
            Cell(seen.map(style.times.text) ?? ""), Cell(group["group_id"]?.string ?? ""),
        ]
    }
}
