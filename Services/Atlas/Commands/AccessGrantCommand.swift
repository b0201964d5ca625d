import ArgumentParser
import JSON
import Operations

struct AccessGrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant", abstract: "Give somebody a role.",
        discussion: """
            It is new access: what was queued under access that was taken away does not come
            back.

            EXAMPLES
              atlas access grant --user 'Priya Nair' --tenant Contoso --role operator
              atlas access grant --user ticket-system --workspace --role operator
            """)

    @OptionGroup var membership: MembershipOptions

    @Option(help: "The role: owner, manager, operator or readonly.")
    var role: Role

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            var (body, person, place) = try await membership.resolve(api)
            body["role"] = .string(role.rawValue)
            try await api.change(
                "POST", "/v1/access/grants", .object(body), doing: "give \(person) access to \(place)",
                done: "\(person) is now \(role.rawValue) on \(place).", output)
        }
    }
}
