import ArgumentParser

struct ConnectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections",
        abstract: "See and make provider connections, change them, switch them on and off.",
        subcommands: [
            ConnectionsListCommand.self, ConnectionsShowCommand.self, ConnectionsCreateCommand.self,
            ConnectionsEditCommand.self, ConnectionsDefaultCommand.self, ConnectionsEnableCommand.self,
            ConnectionsDisableCommand.self,
        ])
}
