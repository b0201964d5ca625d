import JSON

/// What the control surface shows and changes of a tenant's policies, groups and filters, past all of Graph's
/// rules: it is for tests that compare, or that let the world change behind a client's back.
struct EntityControl: Sendable {
    let sandbox: Sandbox
    let tenant: String

    /// - Parameter rest: the path behind `/entities`: nothing, a set, or a set and an id.
    func answer(_ call: IncomingCall, _ rest: ArraySlice<String>) throws(ControlFailure) -> Answer {
        guard let found = sandbox.tenants[tenant] else { return ControlSurface.notFound }
        let names = Array(rest)
        guard names.count <= 2 else { return ControlSurface.notFound }
        guard let name = names.first else {
            guard call.method == "GET" else { return ControlSurface.notAllowed("GET") }
            let all = EntitySet.allCases.map { ($0.rawValue, JSON.array(documents($0, found))) }
            return ControlSurface.json(200, .object(JSONObject(all)))
        }
        guard let set = EntitySet(rawValue: name) else { return ControlSurface.notFound }
        return names.count == 1 ? try collection(call, set, found) : try one(call, set, names[1], found)
    }

    private func collection(
        _ call: IncomingCall, _ set: EntitySet, _ found: Tenant
    ) throws(ControlFailure) -> Answer {
        switch call.method {
        case "GET": return ControlSurface.json(200, ["value": .array(documents(set, found))])
        case "POST":
            let members = try members(call)
            let added = edit(set) { edit -> Entity? in
                let ordinal = edit.tenant.entities[set].nextOrdinal
                let id = edit.generator.id(set, ordinal)
                var entity = Entity(ordinal: ordinal, id: id, document: ["id": .string(id)])
                entity.change(members)
                edit.tenant.entities[set].add(entity, lag: nil)
                return entity
            }
            return added.map { ControlSurface.json(201, $0.json(set)) } ?? ControlSurface.notFound
        default: return ControlSurface.notAllowed("GET, POST")
        }
    }

    private func one(
        _ call: IncomingCall, _ set: EntitySet, _ id: String, _ found: Tenant
    ) throws(ControlFailure) -> Answer {
        switch call.method {
        case "GET":
            let generator = EntityGenerator(seed: sandbox.tenants.seed, tenant: found)
            let entity = generator.ordinal(set, of: id).flatMap { found.entities[set].entity($0, generator) }
            return entity.map { ControlSurface.json(200, $0.json(set)) } ?? ControlSurface.notFound
        case "PATCH":
            let members = try members(call)
            let changed = edit(set) { edit -> Entity? in
                guard let before = try? edit.find(id) else { return nil }
                var after = before
                after.change(members)
                edit.replace(before, with: after)
                return after
            }
            return changed.map { ControlSurface.json(200, $0.json(set)) } ?? ControlSurface.notFound
        case "DELETE":
            let removed = edit(set) { edit -> Entity? in
                guard let entity = try? edit.find(id) else { return nil }
                edit.tenant.entities[set].remove(entity, lag: nil)
                return entity
            }
            return removed == nil ? ControlSurface.notFound : Answer(status: 204)
        default: return ControlSurface.notAllowed("GET, PATCH, DELETE")
        }
    }

    private func documents(_ set: EntitySet, _ found: Tenant) -> [JSON] {
        let generator = EntityGenerator(seed: sandbox.tenants.seed, tenant: found)
        return found.entities[set].all(generator).map { $0.json(set) }
    }

    private func members(_ call: IncomingCall) throws(ControlFailure) -> JSONObject {
        guard let members = (try? JSON(parsing: call.body))?.object else {
            throw ControlFailure("The body must be a JSON object.")
        }
        return members
    }

    private func edit(_ set: EntitySet, _ change: (inout EntityEdit) -> Entity?) -> Entity? {
        sandbox.tenants.update(tenant) { tenant -> Entity? in
            var edit = EntityEdit(
                tenant: tenant, set: set, seed: sandbox.tenants.seed, lag: nil, now: sandbox.now)
            guard let entity = change(&edit) else { return nil }
            tenant = edit.tenant
            return entity
        } ?? nil
    }
}

extension Entity {
    /// The names under which the control surface shows what isn't a property.
    private static let parts = ["assignments", "settings", "scheduledActionsForRule", "apps", "secrets"]

    /// Everything that the service keeps: beta's properties, all parts, and the plain texts.
    func json(_ set: EntitySet) -> JSON {
        var shown = properties(of: set, in: .beta, isListed: false)
        if set.hasAssignments { shown["assignments"] = .array(assignments.map(JSON.object)) }
        if set == .configurationPolicies { shown["settings"] = .array(settings.map(JSON.object)) }
        if set == .deviceCompliancePolicies {
            shown["scheduledActionsForRule"] = .array(scheduledActions.map(JSON.object))
        }
        if set.isAppProtection { shown["apps"] = .array(apps.map(JSON.object)) }
        if !secrets.isEmpty {
            shown["secrets"] = .object(
                JSONObject(secrets.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        return .object(shown)
    }

    /// Takes over members as they are; the id stays.
    fileprivate mutating func change(_ members: JSONObject) {
        func objects(_ name: String) -> [JSONObject]? { members[name]?.array?.compactMap(\.object) }
        assignments = objects("assignments") ?? assignments
        settings = objects("settings") ?? settings
        scheduledActions = objects("scheduledActionsForRule") ?? scheduledActions
        apps = objects("apps") ?? apps
        for (name, value) in members.members where name != "id" && !Self.parts.contains(name) {
            document[name] = value
        }
    }
}
