import Graph
import JSON
import Operations
import Store

/// What has to be written so that an object is what the backup says; and what it may be compared with.
struct Change: Sendable {
    /// The object; nil when it has to be created.
    var objectID: String?
    /// The body that creates it, or updates its content; nil when that is as it should be.
    var content: JSON?
    /// Bodies of actions that write parts of it, by the action's name.
    var actions: [(name: String, body: JSON)] = []
    /// The body of `assign`; nil when the assignments are as they should be.
    var assign: JSON?
    /// What people should know about it.
    var remark: String?

    /// Whether nothing has to be written.
    var isEmpty: Bool { content == nil && actions.isEmpty && assign == nil }

    /// The same change, of this object.
    func with(objectID: String?) -> Change {
        var change = self
        change.objectID = objectID
        return change
    }

    static let reportOnly: JSON = "enabledForReportingButNotEnforced"

    /// Sets what of the content has to be written. `live` is the present document; nil creates.
    mutating func compare(content document: JSONObject, with live: JSONObject?, _ writing: PolicyWriting) {
        var wanted = document
        if writing.kind == .conditionalAccessPolicy { disarm(&wanted, live) }
        guard let live else {
            content = writing.createBody(wanted)
            actions = writing.actions.filter(\.followsCreate).compactMap { action in
                writing.actionBody(action, wanted).map { (action.name, $0) }
            }
            return
        }
        let body = writing.updateBody(wanted)
        if !Self.isSame(body, writing.updateBody(live)) { content = body }
        for action in writing.actions {
            guard let body = writing.actionBody(action, wanted) else { continue }
            if !Self.isSame(body, writing.actionBody(action, live) ?? .null) {
                actions.append((action.name, body))
            }
        }
        if writing.kind == .conditionalAccessPolicy, content == nil, document["state"] != live["state"] {
            remark = "It is report-only, and was enabled. A person enables it."
        }
    }

    /// A conditional access policy that was enabled comes back report-only: one that locks everybody out must be seen
    /// before it acts. One that is enabled now stays so only as long as nothing else has to be written.
    private mutating func disarm(_ wanted: inout JSONObject, _ live: JSONObject?) {
        guard wanted["state"] == "enabled" else { return }
        remark = "It becomes report-only; it was enabled. A person enables it."
        wanted["state"] = Self.reportOnly
        guard live?["state"] == "enabled" else { return }
        var enabled = wanted
        enabled["state"] = "enabled"
        let writing = PolicyWriting.of(.conditionalAccessPolicy)!
        if Self.isSame(writing.updateBody(enabled), writing.updateBody(live!)) {
            wanted = enabled
            remark = nil
        }
    }

    /// Sets whether the assignments have to be written. They are compared as sets of direct assignments.
    mutating func compare(assignments: [JSON], with live: JSONObject?, _ writing: PolicyWriting) {
        guard let wanted = writing.assignBody(assignments) else { return }
        let present = writing.assignBody(live.map(References.direct) ?? [])
        if Self.elements(wanted) != present.map(Self.elements) { assign = wanted }
    }

    private static func elements(_ body: JSON) -> Set<[UInt8]> {
        Set((body.object?.members.first?.value.array ?? []).map { plain($0).canonicalBytes })
    }

    /// Whether the present has all that is wanted. What the service added is left alone. Absent, null and an empty text
    /// are the same: the service makes one of another.
    private static func isSame(_ wanted: JSON, _ present: JSON) -> Bool {
        (wanted.object?.members ?? []).allSatisfy { name, value in
            plain(value).canonicalBytes == plain(present[name] ?? .null).canonicalBytes
        }
    }

    /// Without members that are null or empty texts.
    private static func plain(_ value: JSON) -> JSON {
        switch value {
        case "": .null
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { ($0.key, plain($0.value)) }.filter { !$0.1.isNull }))
        case .array(let elements): .array(elements.map(plain))
        case .null, .bool, .integer, .number, .string: value
        }
    }
}
