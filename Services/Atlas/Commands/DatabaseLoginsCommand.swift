import ArgumentParser
import JSON
import Operations
import Store

struct DatabaseLoginsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database-logins",
        abstract: "Make the services' logins at the database, or change their passwords. Needs DATABASE_URL.",
        discussion: """
            Each file holds the DATABASE_URL of one service, the very file that the service
            reads. The user in it is the service's name:
              \(ServiceLogin.allCases.prefix(4).map(\.rawValue).joined(separator: ", ")),
              \(ServiceLogin.allCases.dropFirst(4).map(\.rawValue).joined(separator: ", "))
            Its login gets that password and the service's rights, nothing else. Use the
            database's owner, after «atlas migrate». Safe to repeat.

            EXAMPLE
              DATABASE_URL=postgres://owner@db/atlas atlas database-logins secrets/database-url-*
            """)

    @Argument(help: "Files with a DATABASE_URL each.")
    var files: [String]

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let logins = try LoginFile.databaseLogins(files)
        let made = try await Settings().withDatabase { pool in
            try await DatabaseLogins(pool: pool).set(logins)
        }
        Output(terminal: .standard, isJSON: json, isExact: false).tell([
            "logins": .array(
                logins.map {
                    ["login": .string($0.service.rawValue), "is_new": .bool(made.contains($0.service))]
                })
        ]) { style in
            logins.map { login in
                let word = made.contains(login.service) ? "made" : "has its password"
                return "\(login.service.rawValue): \(style.paint(word, .good))"
            }
        }
    }
}
