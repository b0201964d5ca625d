import JSON
import Operations
import Store

/// What a form asks of a bulk operation while it is being chosen.
struct BulkWish: Sendable {
    /// What is to be changed.
    enum Reach: String, Sendable {
        /// Everything that the conditions find.
        case found
        /// What was ticked.
        case ticked
    }

    /// One thing that the list is filtered by, in the words of ``BulkParameters``.
    struct Condition: Sendable, Hashable {
        let name: String
        let value: String
    }

    static let operations = OperationType.allCases.filter {
        OperationCatalogue.definition($0).family == .bulk
    }

    let type: OperationType
    let connection: ConnectionID
    /// Nil for devices.
    let kind: PolicyKind?
    let conditions: [Condition]
    /// The ids that were ticked, each once.
    let items: [String]
    /// What policies are assigned to.
    let target: BulkAssignment.Target
    let groupID: String?
    let filterID: String?
    let filterMode: BulkAssignment.FilterMode
    /// A part of the name of the group that is looked for.
    let groupName: String?
    /// Where the list goes on.
    let after: BulkCandidates.Position?

    var definition: OperationDefinition { OperationCatalogue.definition(type) }
    var assigns: Bool { type == .policyBulkAssign }

    /// Throws ``Fault`` for a form that no page made.
    init(_ form: FormBody) throws {
        guard let type = form["operation"].flatMap(OperationType.init), Self.operations.contains(type),
            let connection = form["connection"].flatMap({ ConnectionID($0) })
        else { throw Fault.invalid("Choose what to do, and on which connection.") }
        self.type = type
        self.connection = connection
        let isOfPolicies = type != .deviceBulkSync
        let asked = form["kind"].flatMap(PolicyKind.init).flatMap {
            BulkSelection.kinds.contains($0) ? $0 : nil
        }
        kind = isOfPolicies ? asked ?? BulkSelection.kinds[0] : nil
        // What belonged to another kind finds nothing, and can't be changed, in this one.
        let isSameKind = form["ticked_kind"] == nil || form["ticked_kind"] == kind?.rawValue
        conditions = BulkSelection.conditions(ofPolicies: isOfPolicies).compactMap { name in
            guard isSameKind || name == "name_contains" else { return nil }
            return form[name].map { Condition(name: name, value: $0) }
        }
        var seen: Set<String> = []
        items = isSameKind ? form.all("item").filter { !$0.isEmpty && seen.insert($0).inserted } : []
        target = form["target"].flatMap(BulkAssignment.Target.init) ?? .group
        groupID = form["group_id"]
        filterID = form["filter_id"]
        filterMode = form["filter_mode"].flatMap(BulkAssignment.FilterMode.init) ?? .include
        groupName = form["group_name"]
        after =
            form["step"] == "more"
            ? form["after_id"].map { .init(name: form.verbatim("after_name") ?? "", id: $0) } : nil
    }

    func condition(_ name: String) -> String? { conditions.first { $0.name == name }?.value }

    /// As ``BulkParameters`` takes it.
    var filter: JSON {
        conditions.isEmpty
            ? ["all": true] : .object(JSONObject(conditions.map { ($0.name, JSON.string($0.value)) }))
    }

    /// What the run is to be asked for.
    func parameters(_ reach: Reach) -> JSON {
        var parameters = JSONObject()
        if let kind { parameters["kind"] = .string(kind.rawValue) }
        switch reach {
        case .found: parameters["filter"] = filter
        case .ticked: parameters["items"] = .array(items.map(JSON.string))
        }
        if assigns { parameters["assignment"] = assignment }
        return .object(parameters)
    }

    private var assignment: JSON {
        var assignment: JSONObject = ["target": .string(target.rawValue)]
        if target.isGroup, let groupID { assignment["group_id"] = .string(groupID) }
        if target != .excludedGroup, let filterID {
            assignment["filter_id"] = .string(filterID)
            assignment["filter_mode"] = .string(filterMode.rawValue)
        }
        return .object(assignment)
    }

    /// The form's fields that say the same as parameters do.
    static func fields(
        _ type: OperationType, _ connection: ConnectionID, _ parameters: BulkParameters
    ) -> [Question.Field] {
        var fields = [
            Question.Field(name: "operation", value: type.rawValue),
            Question.Field(name: "connection", value: "\(connection)"),
        ]
        func add(_ name: String, _ value: String?) {
            if let value { fields.append(Question.Field(name: name, value: value)) }
        }
        add("kind", parameters.selection.kind?.rawValue)
        switch parameters.selection.choice {
        case .items(let ids): for id in ids { add("item", id) }
        case .filter(let filter):
            for (name, value) in filter.object?.members ?? [] { add(name, value.string) }
        }
        add("target", parameters.assignment?.target.rawValue)
        add("group_id", parameters.assignment?.groupID)
        add("filter_id", parameters.assignment?.filterID)
        add("filter_mode", parameters.assignment?.filterMode?.rawValue)
        return fields
    }
}
