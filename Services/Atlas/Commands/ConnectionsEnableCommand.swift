import ArgumentParser
import JSON
import Operations

struct ConnectionsEnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Switch a provider connection on.",
        discussion: """
            What was queued before it was switched off may run again.

            EXAMPLE
              atlas connections enable 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11
            """)

    @Argument(help: "The connection's id; «atlas connections list» shows it.")
    var connection: IDArgument<Subject.Connection>

    @OptionGroup var options: OutputOptions

    func run() async throws {
        try await Settings().withAPI { api in
            try await api.change(
                "PUT", "/v1/provider-connections/\(connection.id)/enabled", ["enabled": true],
                doing: "enable the connection", done: "The connection is enabled.", options.output)
        }
    }
}
