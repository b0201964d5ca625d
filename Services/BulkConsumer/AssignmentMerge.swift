import JSON
import Operations

/// A policy's assignments with one more.
enum AssignmentMerge: Sendable, Hashable {
    /// It is there already.
    case present
    /// The same target is there in another way (excluded, or with another filter): whoever set it meant it.
    case conflict
    /// The whole set with the new one.
    case whole([JSON])

    init(_ assignment: BulkAssignment, into present: [JSON]) {
        let new = Self.target(assignment)
        let same = present.compactMap { $0["target"]?.object }.filter { Self.key($0) == Self.key(new) }
        if same.contains(where: { Self.way($0) == Self.way(new) }) {
            self = .present
        } else if !same.isEmpty {
            self = .conflict
        } else {
            self = .whole(present + [.object(["target": .object(new)])])
        }
    }

    private static let types: [BulkAssignment.Target: String] = [
        .group: "groupAssignmentTarget", .excludedGroup: "exclusionGroupAssignmentTarget",
        .allDevices: "allDevicesAssignmentTarget", .allUsers: "allLicensedUsersAssignmentTarget",
    ]

    private static func target(_ assignment: BulkAssignment) -> JSONObject {
        var target: JSONObject = ["@odata.type": .string("#microsoft.graph.\(types[assignment.target]!)")]
        if let group = assignment.groupID { target["groupId"] = .string(group) }
        if let filter = assignment.filterID, let mode = assignment.filterMode {
            target["deviceAndAppManagementAssignmentFilterId"] = .string(filter)
            target["deviceAndAppManagementAssignmentFilterType"] = .string(mode.rawValue)
        }
        return target
    }

    /// Whom a target reaches: a group is the same whether it is included or excluded.
    private static func key(_ target: JSONObject) -> String {
        target["groupId"]?.string?.lowercased() ?? target["@odata.type"]?.string ?? ""
    }

    /// How: included or excluded, and narrowed by which filter.
    private static func way(_ target: JSONObject) -> [String] {
        let mode = target["deviceAndAppManagementAssignmentFilterType"]?.string ?? "none"
        let filter = target["deviceAndAppManagementAssignmentFilterId"]?.string?.lowercased() ?? ""
        return [target["@odata.type"]?.string ?? ""] + (mode == "none" ? [] : [mode, filter])
    }
}
