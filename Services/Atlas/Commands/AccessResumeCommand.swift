import ArgumentParser
import JSON

struct AccessResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Make a suspended tenant operable: what waits goes on.",
        discussion: """
            EXAMPLE
              atlas access resume --tenant Contoso
            """)

    @Option(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @OptionGroup var options: OutputOptions

    func run() async throws {
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            try await api.change(
                "PUT", "/v1/tenants/\(place.id)/operability", ["operability": "operable"],
                doing: "resume \(place.name)", done: "\(place.name) is operable.", options.output)
        }
    }
}
