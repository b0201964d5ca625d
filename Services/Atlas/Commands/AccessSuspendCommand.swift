import ArgumentParser
import JSON

struct AccessSuspendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Suspend a tenant: nothing runs on it, and what is queued waits.",
        discussion: """
            EXAMPLE
              atlas access suspend --tenant Contoso
            """)

    @Option(help: "The tenant: a unique name, or an id.")
    var tenant: String

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Settings().withAPI { api in
            let place = try await api.tenant(tenant)
            try await api.change(
                "PUT", "/v1/tenants/\(place.id)/operability", ["operability": "suspended"],
                doing: "suspend \(place.name)", done: "\(place.name) is suspended.", options)
        }
    }
}
