import ArgumentParser
import JSON
import Operations

struct UsersListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List people and systems, and the roles they hold.",
        discussion: """
            EXAMPLES
              atlas users list
              atlas users list --json
            """)

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let users = try await api.all("/v1/users", "users", doing: "list people").byName
            output.tell(["users": .array(users)]) { style in
                guard !users.isEmpty else { return ["There is nobody whom you may see."] }
                return Table.lines(["NAME", "KIND", "HOLDS", "ID"], users.map(Self.row), style)
            }
        }
    }

    private static func row(_ user: JSON) -> [Cell] {
        let grants = user["grants"]?.array ?? []
        let everywhere = grants.first { $0["tenant_id"]?.isNull == true }?["role"]?.string
        let held =
            everywhere.map { "\($0) everywhere" }
            ?? (grants.isEmpty
                ? "nothing" : grants.count == 1 ? "a role on 1 tenant" : "roles on \(grants.count) tenants")
        return [
            Cell(user["name"]?.string ?? ""), Cell(user["kind"]?.string ?? ""),
            user["disabled"]?.bool == true ? Cell("disabled", .refused) : Cell(held),
            Cell(user["id"]?.string ?? ""),
        ]
    }
}
