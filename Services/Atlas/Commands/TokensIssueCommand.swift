import ArgumentParser
import FoundationEssentials
import JSON
import JobRuntime
import Operations
import Store
import ServiceKit

struct TokensIssueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Issue anybody's token, past the API. Needs DATABASE_URL.",
        discussion: """
            For first tokens: whoever has one makes more with «tokens create». The token is
            shown once; only its hash is stored. It does what its owner may do.

            EXAMPLES
              atlas tokens issue --user 'Omar Reyes'
              atlas tokens issue --user ticket-system --label 'ticket system' --days 365 --json
            """)

    @Option(help: "Whose token: a unique name, or an id.")
    var user: String

    @Option(help: "What it is for, 1 to 200 characters.")
    var label = "atlas"

    @Option(help: "How many days it is valid, 1 to 365.")
    var days = TokenLifetime.standard

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard TokenLifetime.range.contains(days) else { throw ValidationError("--days must be 1 to 365.") }
        guard (1...200).contains(label.count) else {
            throw ValidationError("--label must have 1 to 200 characters.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            let owner = try Naming.pick(user, from: try await administration.findUsers(user))
            let (id, token) = (UUID.timeOrdered(), BearerToken.random())
            try await Principals(pool: pool).issue(
                id, hash: token.hash, label: label, lifetimeSeconds: days * 86_400, for: owner.id,
                in: owner.workspaceID, by: .system)
            let idText = id.uuidString.lowercased()
            output.tell([
                "token_id": .string(idText), "token": .string(token.reveal()),
                "user": ["id": .string("\(owner.id)"), "name": .string(owner.name)],
                "label": .string(label), "valid_days": .int(days),
            ]) { style in
                [
                    "Token of \(Style.plain(owner.name)), valid for \(days) days. It is shown this once.", "",
                    "  " + style.bold(token.reveal()), "",
                    "Take it back with «atlas tokens revoke \(idText)».",
                ]
            }
        }
    }
}
