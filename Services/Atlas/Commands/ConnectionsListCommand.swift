import ArgumentParser
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
            output.tell(["provider_connections": .array(connections)]) { style in
                guard !connections.isEmpty else { return ["There are no connections that you may see."] }
                return Table.lines(
                    ConnectionView.header, connections.map { ConnectionView($0).row(style) }, style)
            }
        }
    }
}
