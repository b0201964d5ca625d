import ArgumentParser

struct WorkspacesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workspaces", abstract: "Make workspaces, where a system begins.",
        subcommands: [WorkspacesCreateCommand.self])
}
