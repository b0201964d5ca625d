import ArgumentParser

struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Issue and revoke the tokens of people and systems.",
        subcommands: [TokensIssueCommand.self, TokensRevokeCommand.self])
}
