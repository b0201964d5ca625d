import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make the keys that credentials are sealed with.",
        subcommands: [KeysGenerateCommand.self])
}
