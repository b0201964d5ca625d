import ArgumentParser

struct CredentialsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials",
        abstract: "Set and rotate the credentials of provider connections, and the keys they are sealed to.",
        subcommands: [CredentialsSetCommand.self, CredentialsResealCommand.self])
}
