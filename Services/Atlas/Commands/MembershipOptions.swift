import ArgumentParser
import JSON
import Operations

/// Whose access, and where.
struct MembershipOptions: ParsableArguments {
    @Option(help: "The person or system: a unique name, or an id.")
    var user: String

    @Option(help: "On this tenant: a unique name, or an id.")
    var tenant: String?

    @Flag(help: "On every tenant of your workspace.")
    var workspace = false

    func validate() throws {
        guard (tenant != nil) != workspace else {
            throw ValidationError("Say where: --tenant NAME or --workspace, one of them.")
        }
    }

    /// The request's members, and both names for people.
    func resolve(_ api: APIClient) async throws -> (body: JSONObject, person: String, place: String) {
        let person = try await api.user(user)
        var body: JSONObject = ["user_id": .string("\(person.id)")]
        guard let tenant else { return (body, person.name, "the whole workspace") }
        let place = try await api.tenant(tenant)
        body["tenant_id"] = .string("\(place.id)")
        return (body, person.name, place.name)
    }
}

extension Role: ExpressibleByArgument {}
