import ArgumentParser
import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

struct AccountsSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Give a person a login and a password. Needs DATABASE_URL.",
        discussion: """
            For first use, and where there is no identity provider. Without a file the
            password is made here and shown once; only what scrypt makes of it is stored.
            The person's sessions end.

            EXAMPLES
              atlas accounts set --user 'Nadia Brandt' --login nadia
              atlas accounts set --user 'Nadia Brandt' --login nadia --password-file password.txt
            """)

    @Option(help: "Whose: a unique name, or an id.")
    var user: String

    @Option(help: "What the person types to sign in, 1 to 200 characters in any case.")
    var login: String

    @Option(help: "A file that holds the password, 12 to 200 characters; «-» for the standard input.")
    var passwordFile: String?

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard (1...LocalAccounts.loginLimit).contains(login.count) else {
            throw ValidationError("--login must have 1 to 200 characters.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        let given = try passwordFile.map {
            try SecretFile.readLine($0 == "-" ? nil : $0, what: "password", limit: 1_000)
        }
        // As long as a token, so as strong.
        let password = given ?? String(BearerToken.random().reveal().dropFirst(3))
        guard PasswordHash.lengths.contains(password.count) else {
            throw Failure(
                code: .usage, what: "The password was not set.", why: "It has \(password.count) characters.",
                next: "Choose one with 12 to 200.")
        }
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            let owner = try Naming.pick(user, from: try await administration.findUsers(user))
            try await LocalAccounts(pool: pool).set(
                login, password: PasswordHash(of: password).text, of: owner.id, by: .system)
            output.tell([
                "user": ["id": .string("\(owner.id)"), "name": .string(owner.name)],
                "login": .string(login.lowercased()), "password": .optional(given == nil ? password : nil),
            ]) { style in
                let text = "\(Style.plain(owner.name)) signs in as \(Style.plain(login.lowercased()))."
                guard given == nil else { return [text] }
                return [text + " The password is shown this once:", "", "  " + style.bold(password)]
            }
        }
    }
}
