import ArgumentParser

struct ConnectionsShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about a provider connection.",
        discussion: """
            Of a credential: its kind, version, thumbprint, who set it when, and when it
            expires.

            EXAMPLE
              atlas connections show 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11
            """)

    @OptionGroup var argument: ConnectionArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        try await options.show(argument.path, doing: "show the connection") { ConnectionView($0).lines($1) }
    }
}
