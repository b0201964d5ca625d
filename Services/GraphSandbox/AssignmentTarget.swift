import JSON

/// Whom an assignment concerns.
struct AssignmentTarget: Sendable, Hashable {
    enum Kind: String, Sendable, CaseIterable {
        case groupAssignmentTarget, exclusionGroupAssignmentTarget, allDevicesAssignmentTarget,
            allLicensedUsersAssignmentTarget, configurationManagerCollectionAssignmentTarget

        var isGroup: Bool { self == .groupAssignmentTarget || self == .exclusionGroupAssignmentTarget }
    }

    let kind: Kind
    /// The group's or collection's id.
    var id: String?
    var filter: String?
    /// none, include or exclude.
    var filterType = "none"

    /// The properties that v1.0 doesn't have.
    static let filterProperties = [
        "deviceAndAppManagementAssignmentFilterId", "deviceAndAppManagementAssignmentFilterType",
    ]

    static func group(_ id: String) -> Self { Self(kind: .groupAssignmentTarget, id: id) }
    static func exclusion(_ id: String) -> Self { Self(kind: .exclusionGroupAssignmentTarget, id: id) }
    static let allDevices = Self(kind: .allDevicesAssignmentTarget)
    static let allLicensedUsers = Self(kind: .allLicensedUsersAssignmentTarget)

    /// With a filter, if there is one.
    func filtered(_ filter: String?, _ type: String) -> Self {
        guard let filter else { return self }
        var target = self
        target.filter = filter
        target.filterType = type
        return target
    }

    /// The group's id, or the pseudo group that stands for everybody in assignments' ids.
    private var idPart: String {
        switch kind {
        case .allDevicesAssignmentTarget: "adadadad-808e-44e2-905a-0b7873a8a531"
        case .allLicensedUsersAssignmentTarget: "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
        default: id ?? ""
        }
    }

    /// The assignment as the service stores it, in beta's form.
    func assignment(of policy: String, _ set: EntitySet, index: Int, policySet: String? = nil) -> JSONObject {
        var target: JSONObject = ["@odata.type": .string("#microsoft.graph.\(kind.rawValue)")]
        target["deviceAndAppManagementAssignmentFilterId"] = .optional(filter)
        target["deviceAndAppManagementAssignmentFilterType"] = .string(filterType)
        if kind.isGroup { target["groupId"] = .optional(id) }
        if kind == .configurationManagerCollectionAssignmentTarget { target["collectionId"] = .optional(id) }
        var assignment: JSONObject = [:]
        switch set {
        case .deviceManagementScripts: assignment["id"] = .string("\(policy):\(idPart)")
        case .mobileApps: assignment["id"] = .string("\(policy)_\(idPart)_0_\(index)")
        default: assignment["id"] = .string("\(policy)_\(idPart)")
        }
        if set == .mobileApps {
            assignment["intent"] = "required"
            assignment["settings"] = .null
        }
        if set != .deviceManagementScripts {
            assignment["source"] = policySet == nil ? "direct" : "policySets"
            assignment["sourceId"] = .string(policySet ?? policy)
        }
        assignment["target"] = .object(target)
        return assignment
    }
}

/// The family of systems that a policy or a filter is for. A filter fits policies of its own family only.
enum AssignmentPlatform: String, Sendable {
    case windows, ios, macos, android

    /// From a platform's or type's name; nil when it names none of them.
    init?(text: String) {
        let text = text.lowercased()
        guard let found = [Self.windows, .macos, .ios, .android].first(where: { text.contains($0.rawValue) })
        else { return nil }
        self = found
    }

    init?(_ entity: Entity, _ set: EntitySet) {
        switch set {
        case .deviceManagementScripts: self = .windows
        case .configurationPolicies:
            self.init(text: entity.document["platforms"]?.string ?? "")
        default: self.init(text: entity.type(in: set))
        }
    }
}
