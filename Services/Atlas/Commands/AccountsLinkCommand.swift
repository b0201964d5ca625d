import ArgumentParser
import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

struct AccountsLinkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Say who a person is at the identity provider. Needs DATABASE_URL.",
        discussion: """
            Whoever signs in there for the first time is told the issuer and the subject.

            EXAMPLES
              atlas accounts link --user nadia --issuer https://login.example.com --subject 4b1f0c52
            """)

    @Option(help: "Who: a unique name, or an id.")
    var user: String

    @Option(help: "The provider's issuer, an https address.")
    var issuer: String

    @Option(help: "What the provider knows the person by.")
    var subject: String

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard (1...500).contains(issuer.count), (1...255).contains(subject.count) else {
            throw ValidationError(
                "--issuer must have 1 to 500 characters, and --subject 1 to 255.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            let person = try Naming.pick(user, from: try await administration.findUsers(user))
            try await LocalAccounts(pool: pool).link(
                issuer: issuer, subject: subject, to: person.id, by: .system)
            output.tell([
                "user": ["id": .string("\(person.id)"), "name": .string(person.name)],
                "issuer": .string(issuer), "subject": .string(subject),
            ]) { _ in
                ["\(Style.plain(person.name)) is \(Style.plain(subject)) at \(Style.plain(issuer))."]
            }
        }
    }
}
