import ArgumentParser
import JSON

struct ConnectionsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about a provider connection.",
        discussion: """
            Of a credential: its kind, version, thumbprint, who set it when, and when it expires.

            EXAMPLE
              atlas connections show 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11
            """)

    @OptionGroup var argument: ConnectionArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let connection = try await api.get(argument.path, doing: "show the connection")
            output.tell(connection) { ConnectionView(connection).lines($0) }
        }
    }
}
