import ArgumentParser

struct BackupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backups", abstract: "See backup sets, and what is in them.",
        subcommands: [BackupsListCommand.self, BackupsShowCommand.self])
}
