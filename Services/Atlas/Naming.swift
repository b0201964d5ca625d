import JSON
import Operations
import Store

/// Something that people know by its name.
struct Named<Subject>: Sendable {
    let id: Identifier<Subject>
    let name: String
}

/// Finds what a person names by its id or by its name.
enum Naming {
    /// How many candidates an error lists.
    private static let listed = 12

    /// The one entry with that name, in any letter case. `kind` is the word for such a thing.
    static func pick<Subject>(
        _ name: String, from entries: [Named<Subject>], kind: String
    ) throws(Failure) -> Named<Subject> {
        let wanted = name.lowercased()
        let matches = entries.filter { $0.name.lowercased() == wanted }
        if matches.count == 1 { return matches[0] }
        if matches.isEmpty {
            let known = list(entries.map(\.name))
            throw Failure(
                code: .refused, what: "There is no \(kind) «\(name)» that you may see.",
                why: known.isEmpty ? "You may see none." : "You may see: \(known).",
                next: "Use one of the names, or an id.")
        }
        throw Failure(
            code: .refused, what: "There are \(matches.count) \(kind)s «\(name)».",
            why: "Their ids are \(list(matches.map { "\($0.id)" })).", next: "Use the id.")
    }

    /// The only one who was found, past the API.
    static func pick(
        _ name: String, from found: [Administration.FoundUser]
    ) throws(Failure) -> Administration.FoundUser {
        if found.count == 1 { return found[0] }
        guard !found.isEmpty else {
            throw Failure(
                code: .refused, what: "Nothing was changed.", why: "There is nobody called «\(name)».",
                next: "Check the name, or use the id.")
        }
        let ids = found.map { "\($0.id)" }.joined(separator: ", ")
        throw Failure(
            code: .refused, what: "Nothing was changed.",
            why: "There are \(found.count) called «\(name)»: \(ids).", next: "Use the id.")
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.sorted().prefix(listed).joined(separator: ", ")
        return names.count > listed ? "\(shown) and \(names.count - listed) more" : shown
    }
}

extension APIClient {
    /// A tenant by its id or unique name.
    func tenant(_ nameOrID: String) async throws -> Named<Subject.Tenant> {
        if let id = TenantID(nameOrID) { return Named(id: id, name: nameOrID) }
        let tenants = try await all("/v1/tenants", "tenants", doing: "look the tenant up")
        return try Naming.pick(
            nameOrID, from: tenants.compactMap { Named($0, id: "tenant_id") }, kind: "tenant")
    }

    /// A person or system by its id or unique name.
    func user(_ nameOrID: String) async throws -> Named<Subject.User> {
        if let id = UserID(nameOrID) { return Named(id: id, name: nameOrID) }
        let users = try await all("/v1/users", "users", doing: "look the person up")
        return try Naming.pick(nameOrID, from: users.compactMap { Named($0, id: "id") }, kind: "person")
    }

    /// The caller's own workspace.
    func ownWorkspace() async throws -> WorkspaceID {
        let me = try await get("/v1/me", doing: "look your workspace up")
        guard let id = me["user"]?["workspace_id"]?.string.flatMap(WorkspaceID.init) else {
            throw Failure(
                code: .refused, what: "Could not look your workspace up.",
                why: "The Starter's answer names none.",
                next: "Check that atlas and the Starter fit together.")
        }
        return id
    }

    /// The tenant's default connection or, without a default, its only one.
    func defaultConnection(of tenant: Named<Subject.Tenant>) async throws -> ConnectionID {
        let connections = try await all(
            "/v1/provider-connections", "provider_connections", [("tenant_id", "\(tenant.id)")],
            doing: "look the connections of \(tenant.name) up")
        let chosen = connections.first { $0["default"]?.bool == true } ?? connections.first
        guard let chosen, connections.count == 1 || chosen["default"]?.bool == true,
            let id = chosen["provider_connection_id"]?.string.flatMap(ConnectionID.init)
        else {
            throw Failure(
                code: .refused, what: "It is not clear which connection of \(tenant.name) is meant.",
                why: connections.isEmpty
                    ? "It has none." : "It has \(connections.count), and none is the default.",
                next: connections.isEmpty
                    ? "Create one first."
                    : "Choose one with --connection; «atlas connections list --tenant \(tenant.name)»"
                        + " shows them.")
        }
        return id
    }
}

extension [JSON] {
    /// The entries of a list by their names, as people look for them, whether these begin small or not.
    var byName: [JSON] {
        let named = map { (name: $0["name"]?.string ?? "", entry: $0) }
        return named.sorted { ($0.name.lowercased(), $0.name) < ($1.name.lowercased(), $1.name) }.map(\.entry)
    }
}

extension Named {
    /// Reads an entry of a list; nil when it is not one.
    fileprivate init?(_ json: JSON, id: String) {
        guard let id = json[id]?.string.flatMap(Identifier<Subject>.init), let name = json["name"]?.string
        else { return nil }
        self.init(id: id, name: name)
    }
}
