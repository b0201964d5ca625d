import ArgumentParser
import FoundationEssentials
import JSON
import Operations

struct TenantsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the tenants that you may see, and whether they take changes.",
        discussion: """
            EXAMPLES
              atlas tenants list
              atlas tenants list --json
            """)

    @OptionGroup var options: OutputOptions

    func run() async throws {
        let output = options.output
        try await Settings().withAPI { api in
            let tenants = try await api.all("/v1/tenants", "tenants", doing: "list tenants").byName
            output.tell(["tenants": .array(tenants)]) { style in
                guard !tenants.isEmpty else { return ["There are no tenants that you may see."] }
                return Table.lines(
                    ["NAME", "STATE", "WRITE GATE", "YOU ARE", "ID"], tenants.map(Self.row), style)
            }
        }
    }

    private static func row(_ tenant: JSON) -> [Cell] {
        let state = tenant["operability"]?.string ?? ""
        let isOpen = tenant["write_gate"]?["open"]?.bool == true
        return [
            Cell(tenant["name"]?.string ?? ""), state == "operable" ? Cell(state) : Cell(state, .refused),
            Cell(isOpen ? "open" : "closed"), Cell(tenant["role"]?.string ?? ""),
            Cell(tenant["tenant_id"]?.string ?? ""),
        ]
    }
}
