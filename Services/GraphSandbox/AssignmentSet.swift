import JSON

/// The body of an `assign`: the complete new set of assignments, checked.
struct AssignmentSet: Sendable {
    let targets: [AssignmentTarget]

    /// What the rules need to know of the tenant.
    struct Context: Sendable {
        let set: EntitySet
        let version: GraphVersion
        let platform: AssignmentPlatform?
        /// The platform of the filter with this id; nil when there is no such filter.
        let filterPlatform: @Sendable (String) -> String?
    }

    /// The key under which the body must hold the list: another for each surface.
    static func key(_ set: EntitySet) -> String {
        set == .deviceManagementScripts ? "deviceManagementScriptAssignments" : "assignments"
    }

    init(_ body: [UInt8], _ context: Context) throws(GraphRefusal) {
        guard let members = (try? JSON(parsing: body))?.object else {
            throw .gateway("Unable to read JSON request payload.")
        }
        let key = Self.key(context.set)
        if let other = members.keys.first(where: { $0 != key }) {
            throw .gateway(
                "The parameter '\(other.prefix(128))' in the request payload is not a valid parameter"
                    + " for the operation 'assign'.")
        }
        guard let elements = members[key]?.array else {
            throw .gateway("The parameter '\(key)' must be a collection.")
        }
        var targets: [AssignmentTarget] = []
        for element in elements { targets.append(try Self.target(of: element, context)) }
        for (index, target) in targets.enumerated() {
            if targets[..<index].contains(where: { $0.concernsTheSame(as: target) }) {
                throw .service("The same target '\(target.id ?? target.kind.rawValue)' is assigned twice.")
            }
        }
        self.targets = targets
    }

    private static func target(
        of element: JSON, _ context: Context
    ) throws(GraphRefusal) -> AssignmentTarget {
        guard let assignment = element.object, let target = assignment["target"]?.object else {
            throw .gateway("An assignment must have a 'target'.")
        }
        // The service sets `id`, `source` and `sourceId` itself.
        let known = ["target", "id", "source", "sourceId", "intent", "settings"]
        if let other = assignment.keys.first(where: { !known.contains($0) && !$0.contains("@") }) {
            throw .unknownProperty(other, on: "deviceConfigurationAssignment")
        }
        let prefix = "#microsoft.graph."
        let type = target["@odata.type"]?.string ?? ""
        guard type.hasPrefix(prefix),
            let kind = AssignmentTarget.Kind(rawValue: String(type.dropFirst(prefix.count)))
        else {
            throw .gateway(
                "A type named '\(type.prefix(128))' could not be resolved, or it is abstract and cannot be"
                    + " instantiated.")
        }
        try checkNames(target, kind, context.version)
        var result = AssignmentTarget(kind: kind)
        if kind.isGroup {
            guard let id = GUID(target["groupId"]?.string ?? "") else {
                throw .service("The assignment target is not valid: a valid AADGroupId is expected.")
            }
            result.id = id.description
        }
        if kind == .configurationManagerCollectionAssignmentTarget {
            result.id = target["collectionId"]?.string
        }
        try readFilter(target, into: &result, context)
        return result
    }

    private static func checkNames(
        _ target: JSONObject, _ kind: AssignmentTarget.Kind, _ version: GraphVersion
    ) throws(GraphRefusal) {
        var known = version == .beta ? AssignmentTarget.filterProperties : []
        if kind.isGroup { known.append("groupId") }
        if kind == .configurationManagerCollectionAssignmentTarget { known.append("collectionId") }
        if let other = target.keys.first(where: { !known.contains($0) && !$0.contains("@") }) {
            throw .unknownProperty(other, on: kind.rawValue)
        }
    }

    private static func readFilter(
        _ target: JSONObject, into result: inout AssignmentTarget, _ context: Context
    ) throws(GraphRefusal) {
        let type = target["deviceAndAppManagementAssignmentFilterType"] ?? "none"
        guard type.isNull || ["none", "include", "exclude"].contains(type.string) else {
            throw .gateway(
                "'deviceAndAppManagementAssignmentFilterType' has a value that is no member of it.")
        }
        let id = target["deviceAndAppManagementAssignmentFilterId"]?.string
        guard let id, type.string != "none", !type.isNull else {
            guard type.isNull || type == "none" else { throw .service(filterRefusal("(none)")) }
            return
        }
        guard let platform = context.filterPlatform(id) else { throw .service(filterRefusal(id)) }
        if let own = context.platform, AssignmentPlatform(text: platform) != own {
            throw .service("The platform '\(platform)' of filter \(id) is not that of the policy.")
        }
        result.filter = id.lowercased()
        result.filterType = type.string ?? "none"
    }

    private static func filterRefusal(_ id: String) -> String {
        "Scope Tags validation failed : Filters '\(id.prefix(64))' were not found or are not accessible."
    }
}

extension AssignmentTarget {
    /// Whether two elements name one target: a group must not be included and excluded either.
    fileprivate func concernsTheSame(as other: AssignmentTarget) -> Bool {
        kind.isGroup && other.kind.isGroup ? id == other.id : kind == other.kind && id == other.id
    }
}

extension GraphRefusal {
    /// 400: properties that the metadata doesn't have are refused, not ignored.
    static func unknownProperty(_ name: String, on type: String) -> GraphRefusal {
        .gateway(
            "The property '\(name.prefix(128))' does not exist on type 'microsoft.graph.\(type)'. Make sure to"
                + " only use property names that are defined by the type.")
    }
}
