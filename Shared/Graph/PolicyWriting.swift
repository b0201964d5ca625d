package import JSON
package import Operations

/// How a kind of policy is written from its stored document: which request, which body, and what is never sent.
///
/// A body holds what the document holds. Masked secrets are for the caller to look at before: a mask that is sent is
/// taken for the secret. So is the state of a conditional access policy, which must not be restored as enabled.
package struct PolicyWriting: Sendable {
    /// How a policy that exists takes other content. Both are repeatable.
    package enum Update: Sendable {
        case patch
        /// Of the whole policy: `PATCH` leaves settings as they are.
        case put
    }

    /// A part that an action of its own writes: `POST …/{id}/{name}` with `{key: part}`.
    package struct Action: Sendable {
        /// The document's member.
        package let part: String
        package let name: String
        package let key: String
        /// Members of the document that the body has beside it.
        package let others: [String]
        /// Whether a new policy needs it, too; otherwise its creation brings the part along.
        package let followsCreate: Bool
    }

    package let kind: PolicyKind
    package let update: Update
    package let actions: [Action]
    /// The member of the body of `POST …/{id}/assign`, which replaces the whole set; nil when the kind has none.
    package let assignmentsKey: String?
    /// Members that only the service writes, beside those that documents never hold.
    private let readOnly: Set<String>
    /// Members that a policy gets when it is created, and keeps.
    private let fixed: Set<String>

    /// How a kind is written; nil for apps, whose content can't be read back.
    package static func of(_ kind: PolicyKind) -> PolicyWriting? {
        switch kind {
        case .deviceConfiguration:
            PolicyWriting(
                kind,
                readOnly: [
                    "qualityUpdatesPauseStartDate", "featureUpdatesPauseStartDate",
                    "qualityUpdatesRollbackStartDateTime", "featureUpdatesRollbackStartDateTime",
                    "qualityUpdatesWillBeRolledBack", "featureUpdatesWillBeRolledBack",
                ])
        case .compliancePolicy:
            PolicyWriting(
                kind, fixed: ["scheduledActionsForRule"],
                actions: [
                    Action(
                        part: "scheduledActionsForRule", name: "scheduleActionsForRules",
                        key: "deviceComplianceScheduledActionForRules", others: [], followsCreate: false)
                ])
        case .settingsCatalogPolicy:
            PolicyWriting(kind, update: .put, readOnly: ["creationSource", "priorityMetaData"])
        case .deviceScript: PolicyWriting(kind, assignments: "deviceManagementScriptAssignments")
        case .assignmentFilter: PolicyWriting(kind, fixed: ["platform"], assignments: nil)
        case .scopeTag: PolicyWriting(kind, readOnly: ["isBuiltIn"])
        case .mobileApp: nil
        case .iosAppProtection, .androidAppProtection:
            PolicyWriting(
                kind, readOnly: ["apps", "deploymentSummary"],
                actions: [
                    Action(
                        part: "apps", name: "targetApps", key: "apps", others: ["appGroupType"],
                        followsCreate: true)
                ])
        case .conditionalAccessPolicy: PolicyWriting(kind, readOnly: ["templateId"], assignments: nil)
        }
    }

    private init(
        _ kind: PolicyKind, update: Update = .patch, readOnly: Set<String> = [], fixed: Set<String> = [],
        actions: [Action] = [], assignments: String? = "assignments"
    ) {
        self.kind = kind
        self.update = update
        self.readOnly = readOnly.union(["assignments"])
        self.fixed = fixed
        self.actions = actions
        assignmentsKey = assignments
    }

    /// The body of `POST` of a new policy. Members without a value are left out: they are the service's default.
    package func createBody(_ document: JSONObject) -> JSON {
        body(document) { !readOnly.contains($0) && !$1.isNull }
    }

    /// The body of the ``update`` of a policy. A null takes a value away.
    package func updateBody(_ document: JSONObject) -> JSON {
        body(document) { name, _ in !readOnly.contains(name) && !fixed.contains(name) }
    }

    /// The first member that an object got when it was created, keeps, and has otherwise than the document: then it can't
    /// become what the document says.
    package func fixedDifference(_ document: JSONObject, _ live: JSONObject) -> String? {
        fixed.union(["@odata.type"]).subtracting(actions.map(\.part)).sorted().first { name in
            guard let wanted = document[name], let found = live[name] else { return false }
            return wanted != found
        }
    }

    /// The body of an action; nil when the document does not have its part.
    package func actionBody(_ action: Action, _ document: JSONObject) -> JSON? {
        guard let part = document[action.part] else { return nil }
        var body: JSONObject = [action.key: part]
        for name in action.others { body[name] = document[name] }
        return .object(body)
    }

    /// The body of `assign` for these assignments of a document, whose groups and filters the caller has resolved.
    /// What a policy set assigns is left out: as a direct assignment it would be there twice.
    package func assignBody(_ assignments: [JSON]) -> JSON? {
        guard let assignmentsKey else { return nil }
        let direct = assignments.compactMap { assignment -> JSON? in
            guard var object = assignment.object, object["source"] != "policySets" else { return nil }
            for name in ["id", "source", "sourceId"] { object[name] = nil }
            return .object(object)
        }
        return .object([assignmentsKey: .array(direct)])
    }

    private func body(_ document: JSONObject, _ isSent: (String, JSON) -> Bool) -> JSON {
        var body = JSONObject(document.members.filter { isSent($0.key, $0.value) }.map { ($0.key, $0.value) })
        switch kind {
        case .deviceConfiguration:
            body.rewrite("omaSettings") { $0.objects(without: ["isEncrypted", "secretReferenceValueId"]) }
        case .conditionalAccessPolicy: Self.rewriteConditionalAccess(&body)
        default: break
        }
        return .object(body)
    }

    private static func rewriteConditionalAccess(_ body: inout JSONObject) {
        body.rewrite("conditions") { $0.object(without: ["deviceStates"]) }
        body.rewrite("grantControls") { controls in
            guard var object = controls.object, let id = object["authenticationStrength"]?["id"] else {
                return controls
            }
            object["authenticationStrength"] = ["id": id]
            object["operator"] = "AND"
            return .object(object)
        }
        body.rewrite("sessionControls") { controls in
            controls["disableResilienceDefaults"] == false
                ? controls.object(without: ["disableResilienceDefaults"]) : controls
        }
    }
}

extension JSONObject {
    fileprivate mutating func rewrite(_ name: String, _ change: (JSON) -> JSON) {
        if let value = self[name] { self[name] = change(value) }
    }
}

extension JSON {
    /// This object without some members; anything else as it is.
    fileprivate func object(without names: [String]) -> JSON {
        guard var object else { return self }
        for name in names { object[name] = nil }
        return .object(object)
    }

    fileprivate func objects(without names: [String]) -> JSON {
        array.map { .array($0.map { $0.object(without: names) }) } ?? self
    }
}
