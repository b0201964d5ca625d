import JSON

/// The body of a create, a change or a replacement, checked against the metadata.
struct EntityBody: Sendable {
    enum Purpose: Sendable, Hashable {
        case create
        /// A PATCH of a document of this type.
        case change(type: String)
        /// A PUT of the complete policy.
        case replace
    }

    /// The longest displayName, in characters.
    static let titleLimit = 1_000

    /// `@odata.type` of an abstract set's document.
    let type: String?
    /// The properties that the client may write, in its order.
    private(set) var values = JSONObject()
    /// Names of properties that only the service writes: they had no effect.
    private(set) var ignored: [String] = []

    init(
        _ body: [UInt8], _ set: EntitySet, _ version: GraphVersion, _ purpose: Purpose
    ) throws(GraphRefusal) {
        guard let members = (try? JSON(parsing: body))?.object else {
            throw .gateway("Unable to read JSON request payload. Please ensure Content-Type header is set.")
        }
        let model = set.model
        let subtype = try Self.subtype(members["@odata.type"], model, version, purpose)
        type = subtype.map { "#microsoft.graph.\($0.name)" }
        for (name, value) in members.members {
            if name.contains("@") { continue }
            if let kind = model.kind(of: name, subtype, in: version) {
                guard kind.fits(value) else { throw Self.misfit(name, kind) }
                values[name] = value
            } else if model.isIgnored(name, in: version) {
                ignored.append(name)
            } else {
                throw .unknownProperty(name, on: subtype?.name ?? model.name)
            }
        }
        try checkTitle(model.title, purpose)
        try checkImmutable(set, purpose)
    }

    private static func subtype(
        _ type: JSON?, _ model: EntityModel, _ version: GraphVersion, _ purpose: Purpose
    ) throws(GraphRefusal) -> EntityModel.Subtype? {
        guard model.isAbstract else {
            guard type == nil || type?.string == "#microsoft.graph.\(model.name)" else {
                throw .gateway("The type '\(type?.string?.prefix(128) ?? "")' is not that of this resource.")
            }
            return nil
        }
        guard let name = type?.string else {
            throw .gateway(
                "Cannot create an abstract class: 'microsoft.graph.\(model.name)' needs an '@odata.type'.")
        }
        guard let subtype = model.subtype(name, in: version) else {
            throw .gateway("A type named '\(name.prefix(128))' could not be resolved by the model.")
        }
        if case .change(let own) = purpose, own != name {
            throw .service("The type of a policy can't be changed: it is '\(own)'.")
        }
        return subtype
    }

    private static func misfit(_ name: String, _ kind: PropertyKind) -> GraphRefusal {
        switch kind {
        case .word, .words:
            .gateway("The value of '\(name)' is not a member of its enumeration.")
        case .text, .flag, .number, .date, .texts, .object, .objects, .binary:
            .gateway("Cannot convert the value of '\(name)' to the type that the property has.")
        }
    }

    private func checkTitle(_ title: String, _ purpose: Purpose) throws(GraphRefusal) {
        if case .change = purpose, values[title] == nil { return }
        guard let text = values[title]?.string, !text.isEmpty, text.count <= Self.titleLimit else {
            throw .service("The \(title) must not be empty, nor longer than \(Self.titleLimit) characters.")
        }
    }

    /// What a PATCH must not name although a create may.
    private mutating func checkImmutable(_ set: EntitySet, _ purpose: Purpose) throws(GraphRefusal) {
        guard case .change = purpose else { return }
        if set == .assignmentFilters, values["platform"] != nil {
            throw .service("The platform of an assignment filter can't be changed.")
        }
        if set == .deviceCompliancePolicies, values["scheduledActionsForRule"] != nil {
            throw .service("Scheduled actions are changed by the action scheduleActionsForRules only.")
        }
        // A PATCH changes metadata only; settings go by PUT.
        if set == .configurationPolicies, values["settings"] != nil {
            values["settings"] = nil
            ignored.append("settings")
        }
    }
}
