import ArgumentParser
import JSON
import Operations

struct AccessRoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "role", abstract: "Change the role that somebody holds.",
        discussion: """
            EXAMPLE
              atlas access role --user 'Omar Reyes' --workspace --role readonly
            """)

    @OptionGroup var membership: MembershipOptions

    @Option(help: "The new role: owner, manager, operator or readonly.")
    var role: Role

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Settings().withAPI { api in
            var (body, person, place) = try await membership.resolve(api)
            body["role"] = .string(role.rawValue)
            try await api.change(
                "POST", "/v1/access/roles", body, doing: "change \(person)'s role on \(place)",
                done: "\(person) is now \(role.rawValue) on \(place).", options)
        }
    }
}
