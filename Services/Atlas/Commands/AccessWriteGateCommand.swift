import ArgumentParser

struct AccessWriteGateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write-gate", abstract: "Switch changes to a tenant on or off.",
        subcommands: [AccessWriteGateOpenCommand.self, AccessWriteGateCloseCommand.self])
}
