import ArgumentParser
import JSON

struct AccessWriteGateCloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "Switch changes to a tenant off.",
        discussion: """
            Reading goes on. What would change something is refused, also when it is under
            way.

            EXAMPLE
              atlas access write-gate close --tenant Contoso
            """)

    @Option(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            try await api.change(
                "PUT", "/v1/tenants/\(place.id)/write-gate", ["open": false],
                doing: "close the write gate of \(place.name)",
                done: "Changes to \(place.name) are switched off.",
                options)
        }
    }
}
