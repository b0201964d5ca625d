import JSON

/// One document of a set, with everything that the service keeps about it.
struct Entity: Sendable, Hashable {
    /// The place in the set's order; the id follows from it.
    let ordinal: Int
    let id: String
    /// `id`, `@odata.type` of an abstract set's documents, and all properties, as beta shows them.
    var document: JSONObject
    /// Each with `id`, `source`, `sourceId` and `target`, as beta shows them.
    var assignments: [JSONObject] = []
    /// The settings of a settings-catalogue policy, each with `id` and `settingInstance`.
    var settings: [JSONObject] = []
    /// The rules of a compliance policy, each with its `scheduledActionConfigurations`.
    var scheduledActions: [JSONObject] = []
    /// The apps of an app protection policy.
    var apps: [JSONObject] = []
    /// The plain texts behind masked values, by their reference or token.
    var secrets: [String: String] = [:]

    /// The type with its prefix: of an abstract set's document its own, else the set's.
    func type(in set: EntitySet) -> String {
        document["@odata.type"]?.string ?? "#microsoft.graph.\(set.model.name)"
    }

    /// The properties that a version shows.
    ///
    /// - Parameter isListed: lists leave out what is only read one by one.
    func properties(of set: EntitySet, in version: GraphVersion, isListed: Bool) -> JSONObject {
        var shown = document
        if set.hasAssignments, shown["isAssigned"] != nil {
            shown["isAssigned"] = .bool(!assignments.isEmpty)
        }
        if shown["settingCount"] != nil { shown["settingCount"] = .int(settings.count) }
        if shown["deployedAppCount"] != nil { shown["deployedAppCount"] = .int(apps.count) }
        if isListed, set == .deviceManagementScripts { shown["scriptContent"] = .null }
        if isListed, set == .mobileApps { shown["largeIcon"] = .null }
        guard version == .v1 else { return shown }
        let model = set.model
        for name in model.betaOnly { shown[name] = nil }
        if let type = shown["@odata.type"]?.string, model.subtype(type, in: .v1) == nil {
            shown["@odata.type"] = .string("#microsoft.graph.\(model.name)")
            for name in shown.keys where !name.hasPrefix("@") {
                if name != "id", model.kind(of: name, nil, in: .v1) == nil, !model.readOnly.contains(name) {
                    shown[name] = nil
                }
            }
        }
        return shown
    }

    /// What `$expand` adds, each collection behind its context.
    func expanded(_ expansions: [Expansion], of set: EntitySet, in version: GraphVersion, context: String)
        -> JSONObject
    {
        var added = JSONObject()
        for expansion in expansions {
            added["\(expansion.name)@odata.context"] = .string("\(context)('\(id)')/\(expansion.name)")
            added[expansion.name] = .array(
                part(expansion.name, nested: expansion.nested, version).map(JSON.object))
        }
        return added
    }

    private func part(_ name: String, nested: [String], _ version: GraphVersion) -> [JSONObject] {
        switch name {
        case "assignments": assignments.map { Self.shown($0, in: version) }
        case "settings": settings
        case "apps": apps
        case "scheduledActionsForRule":
            scheduledActions.map { rule in
                var rule = rule
                if !nested.contains("scheduledActionConfigurations") {
                    rule["scheduledActionConfigurations"] = nil
                }
                return rule
            }
        default: []
        }
    }

    /// An assignment as a version shows it: v1.0 knows neither filters nor sources.
    static func shown(_ assignment: JSONObject, in version: GraphVersion) -> JSONObject {
        guard version == .v1 else { return assignment }
        var assignment = assignment
        assignment["source"] = nil
        assignment["sourceId"] = nil
        if var target = assignment["target"]?.object {
            for name in AssignmentTarget.filterProperties { target[name] = nil }
            assignment["target"] = .object(target)
        }
        return assignment
    }
}
