import ArgumentParser
import JSON
import Operations

struct TokensCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a token: for yourself, or for a system.",
        discussion: """
            The token is shown once; only its hash is stored. It does what its owner may do,
            or less: with --capability only that, with --tenant only there. A token for a
            system takes access.manage on the whole workspace; nobody gets one to act as
            another person.

            EXAMPLES
              atlas tokens create --label laptop
              atlas tokens create --system ticket-system --label tickets --days 365
              atlas tokens create --label cron --tenant Contoso --capability backup.run
            """)

    @Option(help: "What it is for, 1 to 200 characters.")
    var label: String

    @Option(help: "For this system: a unique name, or an id. Without it the token is yours.")
    var system: String?

    @Option(help: "How many days it is valid, 1 to 365.")
    var days = TokenLifetime.standard

    @Option(help: "Only for this capability, for example provider.run. Can be repeated.")
    var capability: [String] = []

    @Option(help: "Only on this tenant: a unique name, or an id. Can be repeated.")
    var tenant: [String] = []

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard TokenLifetime.range.contains(days) else { throw ValidationError("--days must be 1 to 365.") }
        guard (1...200).contains(label.count) else {
            throw ValidationError("--label must have 1 to 200 characters.")
        }
        for word in capability where Capability(rawValue: word) == nil {
            let known = Capability.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--capability must be one of \(known).")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            var body: JSONObject = ["label": .string(label), "days": .int(days)]
            if let system { body["user_id"] = .string("\(try await api.user(system).id)") }
            if !capability.isEmpty { body["capabilities"] = .array(capability.map { .string($0) }) }
            if !tenant.isEmpty {
                var ids: [JSON] = []
                for name in tenant { ids.append(.string("\(try await api.tenant(name).id)")) }
                body["tenant_ids"] = .array(ids)
            }
            let made = try await api.send("POST", "/v1/tokens", .object(body), doing: "make the token").body
            output.tell(made) { style in
                let view = TokenView(made)
                let owner = Style.plain(made["user"]?["name"]?.string ?? "")
                return [
                    "Token of \(owner), valid for \(days) days. It is shown this once.", "",
                    "  " + style.bold(made["token"]?.string ?? ""), "",
                    "It may do \(view.may), \(view.place).",
                    "Take it back with «atlas tokens revoke \(made["token_id"]?.string ?? "")».",
                ]
            }
        }
    }
}
