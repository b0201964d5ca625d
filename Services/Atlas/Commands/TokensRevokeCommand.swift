import ArgumentParser
import JSON
import Operations

struct TokensRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a token: your own, or with access.manage any.",
        discussion: """
            The next request with it is refused. Runs that were started with it go on: they
            stand on the person's access, which «atlas access revoke» takes away.

            EXAMPLE
              atlas tokens revoke 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @Argument(help: "The token's id, as «tokens list» shows it.")
    var id: String

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        guard let token = Identifier<Never>(id) else {
            // Not the argument itself: somebody may have typed the token.
            throw ValidationError("The token's id is a UUID. It is not the token itself.")
        }
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            _ = try await api.send("DELETE", "/v1/tokens/\(token)", doing: "revoke the token")
            output.tell(["token_id": .string("\(token)"), "revoked": true]) { _ in
                ["Revoked. Requests with it are refused from now on."]
            }
        }
    }
}
