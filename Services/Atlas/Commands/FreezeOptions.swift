import ArgumentParser
import JSON
import Operations

/// What a freeze stops.
struct FreezeOptions: ParsableArguments {
    @Option(help: "This tenant: a unique name, or an id.")
    var tenant: String?

    @Option(help: "This provider connection: its id.")
    var connection: IDArgument<Subject.Connection>?

    @Flag(help: "Your whole workspace.")
    var workspace = false

    @Flag(help: "Every workspace. Needs DATABASE_URL: it is the platform engineer's.")
    var everything = false

    func validate() throws {
        let given = [tenant != nil, connection != nil, workspace, everything].count { $0 }
        guard given == 1 else {
            throw ValidationError(
                "Say what: --tenant NAME, --connection ID, --workspace or --everything, one of them.")
        }
    }

    /// The request's members, and the name for people. Everything is not for the API.
    func resolve(_ api: APIClient) async throws -> (body: JSONObject, name: String) {
        if let tenant {
            let place = try await api.tenant(tenant)
            return (["scope": "tenant", "id": .string("\(place.id)")], place.name)
        }
        if let connection {
            return (["scope": "connection", "id": .string("\(connection.id)")], "the connection")
        }
        let own = try await api.ownWorkspace()
        return (["scope": "workspace", "id": .string("\(own)")], "the workspace")
    }

    /// What the audit names in place of a workspace, for what concerns all of them.
    static let platform = WorkspaceID("00000000-0000-0000-0000-000000000000")!
}
