import ArgumentParser
import FoundationEssentials
import JSON
import JobRuntime
import Operations
import Store

struct TokensRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a token. Needs DATABASE_URL.",
        discussion: """
            The next request with it is refused. Runs that were started with it go on: they
            stand on the person's access, which «atlas access revoke» takes away.

            EXAMPLE
              atlas tokens revoke 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @Argument(help: "The token's id, as «tokens issue» told it.")
    var id: String

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        guard let token = Identifier<Never>(id)?.uuid else {
            // Not the argument itself: somebody may have typed the token.
            throw ValidationError("The token's id is a UUID. It is not the token itself.")
        }
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            guard let owner = try await administration.owner(ofToken: token) else {
                throw StoreError.notFound("token")
            }
            do {
                try await Principals(pool: pool).revoke(token, in: owner.workspaceID, by: .system)
            } catch StoreError.notFound {
                throw Failure(
                    code: .refused, what: "Nothing was changed.", why: "The token was revoked before.",
                    next: nil)
            }
            output.tell(["token_id": .string(id), "revoked": true]) { _ in
                ["Revoked a token of \(Style.plain(owner.name)). Requests with it are refused from now on."]
            }
        }
    }
}
