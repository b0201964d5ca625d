import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Graph
@testable import InventoryConsumer

/// What was read can be written again: documents of a backup, as bodies that the provider takes without dropping
/// anything, and that read the same afterwards.
@Suite struct PolicyWritingTests {
    private static let writers: [JSON] = [
        "DeviceManagementApps.ReadWrite.All", "DeviceManagementConfiguration.ReadWrite.All",
        "DeviceManagementRBAC.ReadWrite.All", "DeviceManagementScripts.ReadWrite.All",
        "Policy.ReadWrite.ConditionalAccess", "Group.Read.All",
    ]

    private func documents(_ stage: ProviderStage) async throws -> [BackupDocument] {
        let permit = try await stage.run(.backupRun)
        _ = try await stage.execute(permit)
        try await stage.end(permit)
        let reading = BackupReading(pool: stage.database.pool)
        return try await reading.all(of: try #require(try await reading.set(permit.execution.runID)))
    }

    private func path(_ kind: PolicyKind) -> String { PolicySurface.of(kind).path.text }

    /// What the sandbox took of the writes but did not use.
    private func ignored(_ stage: ProviderStage) async throws -> [String] {
        let journal = try await stage.sandbox.control(
            "GET", "/journal?limit=100000&writes=true&tenant=\(stage.entraTenant)")
        return (journal["entries"]?.array ?? []).flatMap { entry in
            (entry["ignored"]?.array ?? []).map { "\(entry["path"]?.string ?? "") \($0.text)" }
        }
    }

    private func ok(_ answer: (status: Int, body: JSON), _ what: String) {
        #expect((200..<300).contains(answer.status), "\(what): \(answer.status) \(answer.body.text)")
    }

    /// A document without what only its place decides: assignments of policy sets are inherited. A text without a
    /// value may come back as an empty one.
    private func comparable(_ document: JSONObject) -> JSON {
        var object = document
        for (name, value) in object.members where value.isNull || value == "" { object[name] = nil }
        if let assignments = object["assignments"]?.array {
            object["assignments"] = .array(assignments.filter { $0["source"] != "policySets" })
        }
        return .object(object)
    }

    @Test func whatWasReadCanBeCreatedAgain() async throws {
        try await ProviderStage.few { stage in
            let token = try await stage.token(roles: Self.writers)
            var originals: [String: BackupDocument] = [:]
            for original in try await documents(stage) {
                let item = original.item
                // A mask is no secret: what holds one is not for these bodies alone.
                guard let writing = PolicyWriting.of(item.kind), item.secrets == 0 else { continue }
                guard original.content["isBuiltIn"] != true else { continue }
                let what = "\(item.kind) \(item.name ?? "")"
                // Where names are unique the new one can't be created beside the old one.
                let isUnique = item.kind == .assignmentFilter || item.kind == .scopeTag
                if isUnique {
                    ok(try await stage.graph("DELETE", "\(path(item.kind))/\(item.policyID)", token), what)
                }
                let created = try await stage.graph(
                    "POST", path(item.kind), token, writing.createBody(original.content))
                ok(created, what)
                let id = try #require(created.body["id"]?.string)
                for action in writing.actions where action.followsCreate {
                    let body = try #require(writing.actionBody(action, original.content))
                    ok(
                        try await stage.graph("POST", "\(path(item.kind))/\(id)/\(action.name)", token, body),
                        what)
                }
                let assignments = original.content["assignments"]?.array ?? []
                if !assignments.isEmpty, let body = writing.assignBody(assignments) {
                    ok(try await stage.graph("POST", "\(path(item.kind))/\(id)/assign", token, body), what)
                }
                originals[id] = original
            }
            #expect(
                Set(originals.values.map(\.item.kind)) == Set(PolicyKind.allCases).subtracting([.mobileApp]))
            #expect(try await ignored(stage) == [])
            let copies = try await documents(stage)
            for copy in copies {
                guard let original = originals.removeValue(forKey: copy.item.policyID) else { continue }
                #expect(
                    comparable(copy.content).canonicalText == comparable(original.content).canonicalText,
                    "\(copy.item.kind) \(copy.item.name ?? "")")
            }
            #expect(originals.isEmpty)
        }
    }

    @Test(arguments: ["documented", "observed"])
    func whatWasChangedCanBeSetBack(_ statuses: String) async throws {
        try await ProviderStage.few { stage in
            let token = try await stage.token(roles: Self.writers)
            try await stage.sandbox.control(
                "PUT", "/tenants/\(stage.entraTenant)", ["statuses": .string(statuses)])
            let originals = try await documents(stage)
            for original in originals {
                let item = original.item
                guard let writing = PolicyWriting.of(item.kind), item.secrets == 0,
                    original.content["isBuiltIn"] != true
                else { continue }
                let what = "\(item.kind) \(item.name ?? "")"
                let set = try #require(ProviderStage.sets[item.kind])
                try await stage.entities(
                    "PATCH", "/\(set)/\(item.policyID)",
                    [
                        PolicySurface.of(item.kind).name: .string("Damaged \(item.policyID)"),
                        "assignments": [],
                    ])
                let place = "\(path(item.kind))/\(item.policyID)"
                let method = writing.update == .put ? "PUT" : "PATCH"
                ok(try await stage.graph(method, place, token, writing.updateBody(original.content)), what)
                for action in writing.actions {
                    let body = try #require(writing.actionBody(action, original.content))
                    ok(try await stage.graph("POST", "\(place)/\(action.name)", token, body), what)
                }
                let assignments = original.content["assignments"]?.array ?? []
                if !assignments.isEmpty, let body = writing.assignBody(assignments) {
                    ok(try await stage.graph("POST", "\(place)/assign", token, body), what)
                }
            }
            #expect(try await ignored(stage) == [])
            for (original, after) in zip(originals, try await documents(stage)) {
                #expect(
                    comparable(original.content).canonicalText == comparable(after.content).canonicalText,
                    "\(original.item.kind) \(original.item.name ?? "")")
            }
        }
    }

    @Test func appsAreNotWritten() {
        #expect(PolicyKind.allCases.filter { PolicyWriting.of($0) == nil } == [.mobileApp])
    }

    @Test func conditionalAccessLeavesOutWhatTheServiceRefuses() throws {
        let writing = try #require(PolicyWriting.of(.conditionalAccessPolicy))
        let body = writing.updateBody([
            "displayName": "A", "templateId": "t",
            "conditions": ["deviceStates": ["x": 1], "users": ["a": 1]],
            "grantControls": ["operator": "OR", "authenticationStrength": ["id": "s", "displayName": "n"]],
            "sessionControls": ["disableResilienceDefaults": false],
        ])
        #expect(
            body == [
                "displayName": "A", "conditions": ["users": ["a": 1]],
                "grantControls": ["operator": "AND", "authenticationStrength": ["id": "s"]],
                "sessionControls": [:],
            ])
    }
}

extension JSON {
    fileprivate var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }
}
