import ArgumentParser

struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Make, list and revoke the tokens of people and systems.",
        subcommands: [
            TokensCreateCommand.self, TokensListCommand.self, TokensRevokeCommand.self,
            TokensIssueCommand.self,
        ])
}
