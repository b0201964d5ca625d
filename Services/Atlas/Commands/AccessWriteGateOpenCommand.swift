import ArgumentParser
import JSON

struct AccessWriteGateOpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Switch changes to a tenant on.",
        discussion: """
            Changes also need a good and recent connection check.

            EXAMPLE
              atlas access write-gate open --tenant Contoso
            """)

    @Option(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @OptionGroup var options: OutputOptions

    func run() async throws {
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            try await api.change(
                "PUT", "/v1/tenants/\(place.id)/write-gate", ["open": true],
                doing: "open the write gate of \(place.name)",
                done: "Changes to \(place.name) are switched on.",
                options.output)
        }
    }
}
