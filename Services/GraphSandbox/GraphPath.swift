/// A path under `/v1.0` or `/beta`, taken apart: keys may stand as a segment or in parentheses, and
/// segments are compared without regard to letter case.
struct GraphPath: Sendable, Hashable {
    let version: GraphVersion
    let resource: GraphResource

    /// Why a path names nothing; decided before anyone looks at the token.
    enum Failure: Error, Hashable {
        case invalidVersion(String)
        case unknownSegment(String)
        /// The metadata has it, but no service answers.
        case unrouted
    }

    /// - Parameter segments: the path's segments, percent-decoded, version first.
    init(segments: [String]) throws(Failure) {
        let name = segments.first ?? ""
        guard let version = GraphVersion(rawValue: name.lowercased()) else { throw .invalidVersion(name) }
        var steps = Steps(segments.dropFirst())
        let resource = try Self.resource(&steps, version)
        if let rest = steps.next() { throw .unknownSegment(rest.name) }
        self.version = version
        self.resource = resource
    }

    private static func resource(_ steps: inout Steps, _ version: GraphVersion) throws(Failure)
        -> GraphResource
    {
        guard let first = steps.next() else { throw .unknownSegment("") }
        switch first.name.lowercased() {
        case "organization":
            return steps.key(after: first).map(GraphResource.organization) ?? .organizations
        case "devicemanagement": return try deviceManagement(&steps, version)
        case "deviceappmanagement":
            guard let next = steps.next() else { throw .unknownSegment(first.name) }
            guard next.name.lowercased() == "managedapppolicies" else {
                return try entities(next, under: "deviceAppManagement", &steps, version)
            }
            guard let id = steps.key(after: next) else { return .managedAppPolicies }
            // Assignments and apps are on the typed sets only.
            guard steps.next() == nil else { throw .unrouted }
            return .managedAppPolicy(id)
        case "identity":
            for name in ["conditionalaccess", "policies"] {
                guard let next = steps.next() else { throw .unknownSegment(first.name) }
                guard next.name.lowercased() == name else { throw .unknownSegment(next.name) }
                if name == "policies" { return try entity(.conditionalAccessPolicies, next, &steps) }
            }
            throw .unknownSegment(first.name)
        case "groups": return try entity(.groups, first, &steps)
        case "directoryobjects":
            guard let next = steps.next(), next.unqualifiedName == "getbyids" else {
                throw .unknownSegment(first.name)
            }
            return .directoryObjectsByIDs
        case "$batch": return .batch
        case "serviceprincipals": return try servicePrincipals(first, &steps)
        default: throw .unknownSegment(first.name)
        }
    }

    private static func deviceManagement(
        _ steps: inout Steps, _ version: GraphVersion
    ) throws(Failure) -> GraphResource {
        guard let next = steps.next() else { return .deviceManagement }
        switch next.name.lowercased() {
        case "managedDevices".lowercased():
            guard let id = steps.key(after: next) else { return .managedDevices }
            guard let action = steps.next() else { return .managedDevice(id) }
            guard action.unqualifiedName == "syncdevice" else { throw .unknownSegment(action.name) }
            return .syncDevice(id)
        case "manageddeviceoverview": return .managedDeviceOverview
        case "devicecompliancepolicydevicestatesummary": return .complianceStateSummary
        default: return try entities(next, under: "deviceManagement", &steps, version)
        }
    }

    private static func entities(
        _ step: Step, under parent: String, _ steps: inout Steps, _ version: GraphVersion
    ) throws(Failure) -> GraphResource {
        let set = EntitySet.allCases.first {
            $0.address.count == 2 && $0.address[0] == parent
                && $0.address[1].lowercased() == step.name.lowercased()
        }
        guard let set, version == .beta || set.isInV1 else { throw .unknownSegment(step.name) }
        return try entity(set, step, &steps)
    }

    private static func entity(
        _ set: EntitySet, _ step: Step, _ steps: inout Steps
    ) throws(Failure) -> GraphResource {
        guard let id = steps.key(after: step) else { return .entities(set) }
        guard let next = steps.next() else { return .entity(set, id) }
        switch (next.unqualifiedName, set) {
        case ("assignments", _) where set.hasAssignments: return .assignments(set, id)
        case ("assign", _) where set.hasAssignments && set.isWritable: return .assign(set, id)
        case ("settings", .configurationPolicies): return .settings(id)
        case ("scheduledactionsforrule", .deviceCompliancePolicies): throw .unrouted
        case ("scheduleactionsforrules", .deviceCompliancePolicies): return .scheduleActions(id)
        case ("getomasettingplaintextvalue", .deviceConfigurations):
            let parameter = "secretreferencevalueid="
            guard let key = next.key, key.lowercased().hasPrefix(parameter) else { throw .unrouted }
            return .omaSettingPlainText(id, secret: Step.unquoted(String(key.dropFirst(parameter.count))))
        case ("apps", _) where set.isAppProtection: return .protectedApps(set, id)
        case ("targetapps", _) where set.isAppProtection: return .targetApps(set, id)
        default: throw .unknownSegment(next.name)
        }
    }

    private static func servicePrincipals(
        _ step: Step, _ steps: inout Steps
    ) throws(Failure) -> GraphResource {
        guard let text = steps.key(after: step) else { return .servicePrincipals }
        let key: ServicePrincipalKey =
            text.lowercased().hasPrefix("appid=")
            ? .appID(Step.unquoted(String(text.dropFirst("appid=".count)))) : .id(text)
        guard let next = steps.next() else { return .servicePrincipal(key) }
        guard next.name.lowercased() == "approleassignments" else { throw .unknownSegment(next.name) }
        return .appRoleAssignments(key)
    }
}

/// One segment: its name, and the key when that stands in parentheses behind it.
private struct Step {
    let name: String
    let key: String?

    init(_ segment: String) {
        guard segment.hasSuffix(")"), let parenthesis = segment.firstIndex(of: "(") else {
            name = segment
            key = nil
            return
        }
        name = String(segment[..<parenthesis])
        key = Self.unquoted(String(segment[segment.index(after: parenthesis)...].dropLast()))
    }

    /// An action's name without its namespace, in lower case (`microsoft.graph.syncDevice`).
    var unqualifiedName: String { String(name.split(separator: ".").last ?? "").lowercased() }

    /// An OData string literal's text; doubled quotes stand for one.
    static func unquoted(_ literal: String) -> String {
        guard literal.count >= 2, literal.hasPrefix("'"), literal.hasSuffix("'") else { return literal }
        return replacing("''", with: "'", in: literal.dropFirst().dropLast())
    }

    private static func replacing(_ pair: String, with one: String, in text: Substring) -> String {
        text.split(separator: pair, omittingEmptySubsequences: false).joined(separator: one)
    }
}

/// The segments that are still to be read.
private struct Steps {
    private var rest: ArraySlice<String>

    init(_ segments: ArraySlice<String>) { rest = segments }

    mutating func next() -> Step? { rest.popFirst().map(Step.init) }

    /// The key of the entity in `step`'s collection: from its parentheses, else the next segment.
    mutating func key(after step: Step) -> String? { step.key ?? rest.popFirst() }
}
