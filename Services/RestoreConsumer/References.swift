import FoundationEssentials
import Graph
import JSON
import Operations
import Store

/// Puts into a document the ids that what it refers to has now: scope tags and assignment filters get new ones when they
/// are created again. Groups keep theirs, or are missing.
struct References: Sendable {
    private static let groupTargets: Set<String> = [
        "#microsoft.graph.groupAssignmentTarget", "#microsoft.graph.exclusionGroupAssignmentTarget",
    ]
    private static let filterID = "deviceAndAppManagementAssignmentFilterId"
    private static let filterType = "deviceAndAppManagementAssignmentFilterType"

    let tenant: LiveTenant
    let known: Known
    /// Whether what is missing is found out. Before anything is written it has to be; to tell whether an object is as it
    /// was, references that lead nowhere included, it must not.
    let isChecked: Bool

    /// The content without assignments. Throws ``Obstacle`` when something that it refers to is missing.
    func content(_ document: JSONObject, _ kind: PolicyKind) async throws -> JSONObject {
        var content = document
        content["assignments"] = nil
        for member in ["roleScopeTagIds", "roleScopeTags"] {
            guard let tags = content[member]?.array else { continue }
            var present: [JSON] = []
            for tag in tags { present.append(try await id(tag, .scopeTag)) }
            content[member] = .array(present)
        }
        if kind == .conditionalAccessPolicy { try await requireGroups(of: content["conditions"]?["users"]) }
        return content
    }

    /// The direct assignments, as a whole or not at all. Throws ``Obstacle`` when one of them can't be written.
    func assignments(_ document: JSONObject) async throws -> [JSON] {
        let direct = Self.direct(document)
        var groups: [String] = []
        var result: [JSON] = []
        for assignment in direct {
            guard var object = assignment.object, var target = object["target"]?.object else {
                result.append(assignment)
                continue
            }
            if Self.groupTargets.contains(target["@odata.type"]?.string ?? "") {
                groups += target["groupId"]?.string.map { [$0] } ?? []
            }
            let type = target[Self.filterType]?.string ?? "none"
            if type != "none", let filter = target[Self.filterID], !filter.isNull {
                target[Self.filterID] = try await id(filter, .assignmentFilter)
                object["target"] = .object(target)
            }
            result.append(.object(object))
        }
        try await require(groups)
        return result
    }

    /// The assignments that are the object's own. What a policy set assigns is the set's.
    static func direct(_ document: JSONObject) -> [JSON] {
        (document["assignments"]?.array ?? []).filter { $0["source"] != "policySets" }
    }

    private func requireGroups(of users: JSON?) async throws {
        let ids = ["includeGroups", "excludeGroups"].flatMap { users?[$0]?.array ?? [] }
        try await require(ids.compactMap(\.string))
    }

    private func require(_ groups: [String]) async throws {
        guard isChecked else { return }
        let missing = try await tenant.missingGroups(groups)
        guard missing.isEmpty else { throw Obstacle.groupsMissing(missing) }
    }

    private func id(_ json: JSON, _ kind: PolicyKind) async throws -> JSON {
        guard let id = json.string else { return json }
        if let successor = known.successor(of: id, kind) { return .string(successor) }
        guard isChecked else { return json }
        let list = try await tenant.list(kind)
        if list.contains(where: { $0.id.lowercased() == id.lowercased() }) { return json }
        // Somebody may have created it again: their names are unique.
        if let item = known.item(id, kind), let name = item.name {
            let found = known.candidates(for: item, named: name, type: item.type, in: list)
            if found.count == 1 { return .string(found[0].id) }
        }
        throw Obstacle.referenceMissing(kind, id)
    }
}
