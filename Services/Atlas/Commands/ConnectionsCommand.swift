import ArgumentParser

struct ConnectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections", abstract: "See provider connections, switch them on and off.",
        subcommands: [
            ConnectionsListCommand.self, ConnectionsEnableCommand.self, ConnectionsDisableCommand.self,
        ])
}
