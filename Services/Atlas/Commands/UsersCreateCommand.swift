import ArgumentParser
import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

struct UsersCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a person, or a system. Needs DATABASE_URL.",
        discussion: """
            A workspace's first owner is made here; later, whoever manages access gives
            roles with «atlas access grant». Where there is somebody with that name, that
            one stays, and gets the role only when holding none.

            EXAMPLES
              atlas users create 'Nadia Brandt' --role owner
              atlas users create 'Omar Reyes'
              atlas users create ticket-system --system
            """)

    @Argument(help: "What people call them, 1 to 200 characters.")
    var name: String

    @Option(help: "A role on the whole workspace: owner, manager, operator or readonly.")
    var role: Role?

    @Flag(help: "A system with an account of its own, not a person.")
    var system = false

    @OptionGroup var place: WorkspaceOption

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws { try NewName.check(name) }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withDatabase { pool in
            let administration = Administration(pool: pool, makeID: UUID.timeOrdered)
            let workspace = try await place.resolve(administration)
            let present = try await administration.findUsers(name).filter { $0.workspaceID == workspace.id }
            let id =
                present.isEmpty
                ? UserID(UUID.timeOrdered()) : try Naming.pick(name, from: present).id
            if present.isEmpty {
                _ = try await administration.createUsers(
                    [.init(id: id, name: name, kind: system ? .system : .person)], in: workspace.id,
                    by: .system)
            }
            let given = try await administration.createMemberships(
                role.map { [.init(user: id, tenant: nil, role: $0)] } ?? [], in: workspace.id, by: .system)
            output.tell([
                "user": ["id": .string("\(id)"), "name": .string(name)],
                "workspace_id": .string("\(workspace.id)"), "created": .bool(present.isEmpty),
                "granted": .bool(given == 1),
            ]) { style in
                let made = NewName.outcome(isNew: present.isEmpty, style)
                return ["\(style.bold(Style.plain(name))) \(made).", grant(given == 1, workspace.name)] + next
            }
        }
    }

    private func grant(_ isGiven: Bool, _ workspace: String) -> String {
        guard let role else { return "No role was given: «atlas access grant» does it." }
        return isGiven
            ? "The role \(role.rawValue) holds on all tenants of \(Style.plain(workspace))."
            : "The role that was held stays: «atlas access role» changes it."
    }

    private var next: [String] {
        system
            ? ["Next, a token: atlas tokens issue --user '\(Style.plain(name))'"]
            : ["Next, to sign in: atlas accounts set --user '\(Style.plain(name))' --login LOGIN"]
    }
}
