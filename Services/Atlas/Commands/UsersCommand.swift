import ArgumentParser

struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Make and list people and systems.",
        subcommands: [UsersListCommand.self, UsersCreateCommand.self])
}
