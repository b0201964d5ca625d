import ArgumentParser
import JSON

struct ConnectionsDefaultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "default", abstract: "Make a provider connection its tenant's default.",
        discussion: """
            What is started by the tenant's name uses it from now on.

            EXAMPLE
              atlas connections default 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11
            """)

    @OptionGroup var argument: ConnectionArgument
    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let answer = try await api.send(
                "PUT", argument.path + "/default", doing: "make it the default")
            output.tell(answer.body) { ConnectionView(answer.body).lines($0) }
        }
    }
}
