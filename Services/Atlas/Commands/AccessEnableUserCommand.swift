import ArgumentParser

struct AccessEnableUserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable-user", abstract: "Let a disabled account act again.",
        discussion: """
            What was queued before it was disabled may run again.

            EXAMPLE
              atlas access enable-user --user 'Omar Reyes'
            """)

    @Option(help: "The person or system: a unique name, or an id.")
    var user: String

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            let person = try await api.user(user)
            try await api.change(
                "POST", "/v1/users/\(person.id)/enable", doing: "enable \(person.name)",
                done: "\(person.name) is enabled.", output)
        }
    }
}
