import ArgumentParser
import JSON

struct AccessRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Take somebody's access away.",
        discussion: """
            Access to one tenant and access to the whole workspace are two grants: each is
            taken away by itself.

            EXAMPLES
              atlas access revoke --user 'Omar Reyes' --workspace
              atlas access revoke --user 'Omar Reyes' --workspace --what-if
              atlas access revoke --user 'Omar Reyes' --tenant Contoso --json
            """)

    @OptionGroup var membership: MembershipOptions
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Settings().withAPI { api in
            let (body, person, place) = try await membership.resolve(api)
            try await api.change(
                "POST", "/v1/access/revocations", body,
                doing: "take \(person)'s access to \(place) away",
                done: "\(person)'s access to \(place) is revoked.", options)
        }
    }
}
