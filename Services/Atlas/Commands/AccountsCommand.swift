import ArgumentParser

struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Let people sign in with the console.",
        subcommands: [AccountsSetCommand.self, AccountsLinkCommand.self])
}
