import ArgumentParser
import JSON

struct TokensListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List tokens: yours, or with access.manage everybody's.",
        discussion: """
            EXAMPLES
              atlas tokens list
              atlas tokens list --user ticket-system --json
            """)

    @Option(help: "Only of this person or system: a unique name, or an id.")
    var user: String?

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            var owner: String?
            if let user { owner = "\(try await api.user(user).id)" }
            let tokens = try await api.all("/v1/tokens", "tokens", [("user_id", owner)], doing: "list tokens")
            output.tell(["tokens": .array(tokens)]) { style in
                guard !tokens.isEmpty else { return ["There are no tokens that you may see."] }
                return Table.lines(TokenView.header, tokens.map { TokenView($0).row(style) }, style)
            }
        }
    }
}
