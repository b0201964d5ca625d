import ArgumentParser
import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

struct WorkspacesCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a service provider's workspace. Needs DATABASE_URL.",
        discussion: """
            The first thing in an empty system. Its first owner comes next, with «atlas
            users create». Where there is one with that name, it stays as it is.

            EXAMPLE
              atlas workspaces create 'Northwind Managed Services'
            """)

    @Argument(help: "What people call it, 1 to 200 characters.")
    var name: String

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws { try NewName.check(name) }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            let present = try await administration.workspaces().first {
                $0.name.lowercased() == name.lowercased()
            }
            let id = present?.id ?? WorkspaceID(UUID.timeOrdered())
            if present == nil { _ = try await administration.createWorkspace(id, name: name, by: .system) }
            let called = present?.name ?? name
            output.tell([
                "workspace_id": .string("\(id)"), "name": .string(called),
                "created": .bool(present == nil),
            ]) { style in
                [
                    "\(style.bold(Style.plain(called))) \(NewName.outcome(isNew: present == nil, style)).",
                    "Next, its first owner: atlas users create 'Nadia Brandt' --role owner",
                ]
            }
        }
    }
}
