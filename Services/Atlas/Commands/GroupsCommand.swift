import ArgumentParser

struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "See the groups of tenants' directories.",
        subcommands: [GroupsListCommand.self])
}
