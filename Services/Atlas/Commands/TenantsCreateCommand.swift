import ArgumentParser
import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

struct TenantsCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make customers' tenants. Needs DATABASE_URL.",
        discussion: """
            A new tenant may be operated, and its write gate is closed. Where there is one
            with that name, it stays as it is: repeating it does no harm.

            EXAMPLES
              atlas tenants create Contoso Fabrikam 'Woodgrove Bank'
              xargs -d '\\n' atlas tenants create <customers.txt
            """)

    @Argument(help: "What people call them, 1 to 200 characters each.")
    var names: [String]

    @OptionGroup var place: WorkspaceOption

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        try names.forEach(NewName.check)
        guard Set(names.map { $0.lowercased() }).count == names.count else {
            throw ValidationError("A name is there twice.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            let workspace = try await place.resolve(administration)
            let present = try await administration.tenants(named: names, in: workspace.id)
            let tenants = names.map { present[$0] ?? .init(id: TenantID(UUID.timeOrdered()), name: $0) }
            let made = try await administration.createTenants(
                tenants.filter { !present.values.contains($0) }, in: workspace.id, by: .system)
            output.tell(Self.json(tenants, made)) { Self.lines(tenants, made, in: workspace.name, $0) }
        }
    }

    private static func json(_ tenants: [Administration.NewTenant], _ made: Set<TenantID>) -> JSON {
        [
            "tenants": .array(
                tenants.map { tenant in
                    [
                        "tenant_id": .string("\(tenant.id)"), "name": .string(tenant.name),
                        "created": .bool(made.contains(tenant.id)),
                    ]
                })
        ]
    }

    private static func lines(
        _ tenants: [Administration.NewTenant], _ made: Set<TenantID>, in workspace: String, _ style: Style
    ) -> [String] {
        let rows = tenants.map { tenant in
            [
                Cell(tenant.name),
                made.contains(tenant.id) ? Cell("made", .good) : Cell("was there already"),
                Cell("\(tenant.id)"),
            ]
        }
        return [style.bold(Style.plain(workspace)), ""] + Table.lines(["TENANT", "", "ID"], rows, style) + [
            "",
            "Next, a way into each:"
                + " atlas connections create --tenant NAME --entra-tenant-id ID --client-id ID",
        ]
    }
}
