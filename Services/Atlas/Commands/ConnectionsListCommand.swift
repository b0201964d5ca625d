import ArgumentParser
import FoundationEssentials
import JSON
import Operations

struct ConnectionsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List provider connections and their health.",
        discussion: """
            EXAMPLES
              atlas connections list
              atlas connections list --tenant Contoso --json
            """)

    @Option(help: "Only of this tenant: a unique name, or an id.")
    var tenant: String?

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            var place: TenantID?
            if let tenant { place = try await api.tenant(tenant).id }
            let connections = try await api.all(
                "/v1/provider-connections", "provider_connections", [("tenant_id", place?.description)],
                doing: "list connections")
            output.tell(["provider_connections": .array(connections)]) { Self.lines(connections, $0) }
        }
    }

    static func lines(_ connections: [JSON], _ style: Style) -> [String] {
        guard !connections.isEmpty else { return ["There are no connections that you may see."] }
        return Table.lines(
            ["TENANT", "CONNECTION", "HEALTH", "CHECKED", "SWITCHED", "ID", "BECAUSE"],
            connections.map { connection in
                let checked = connection["health_checked_at"].flatMap(Timestamp.init(json:))?.date
                let reason = connection["health_reason"]?.string.flatMap(RunReason.init(code:))
                return [
                    Cell(connection["tenant"]?["name"]?.string ?? ""),
                    Cell(connection["display_name"]?.string ?? ""), health(connection),
                    Cell(checked.map(style.times.text) ?? "never"),
                    connection["enabled"]?.bool == true ? "on" : Cell("off", .refused),
                    Cell(connection["provider_connection_id"]?.string ?? ""),
                    Cell(
                        connection["credential"]?.bool == false
                            ? "No credential is set." : reason.map(Presentation.sentence) ?? ""),
                ]
            }, style)
    }

    private static func health(_ connection: JSON) -> Cell {
        let word = connection["health"]?.string ?? ""
        let tone: Badge.Tone =
            switch word {
            case "healthy": .good
            case "degraded": .mixed
            case "unhealthy": .bad
            default: .neutral
            }
        return Cell(word, tone)
    }
}
