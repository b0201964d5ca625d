import ArgumentParser
import JSON
import Operations

struct ConnectionsDisableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Switch a provider connection off.",
        discussion: """
            No call to Microsoft begins over it any more. The answer tells when the last one
            was off the wire; the exit code is 1 when nobody can tell of some.

            EXAMPLE
              atlas connections disable 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11
            """)

    @Argument(help: "The connection's id; «atlas connections list» shows it.")
    var connection: IDArgument<Subject.Connection>

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Settings().withAPI { api in
            try await api.change(
                "PUT", "/v1/provider-connections/\(connection.id)/enabled", ["enabled": false],
                doing: "disable the connection", done: "The connection is disabled.", options)
        }
    }
}
