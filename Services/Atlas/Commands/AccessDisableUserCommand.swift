import ArgumentParser

struct AccessDisableUserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable-user", abstract: "Disable somebody's account, everywhere at once.",
        discussion: """
            Tokens stop to work, and so does everything that was queued under the account.

            EXAMPLE
              atlas access disable-user --user 'Omar Reyes'
            """)

    @Option(help: "The person or system: a unique name, or an id.")
    var user: String

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Settings().withAPI { api in
            let person = try await api.user(user)
            try await api.change(
                "POST", "/v1/users/\(person.id)/disable", doing: "disable \(person.name)",
                done: "\(person.name) is disabled.", options)
        }
    }
}
