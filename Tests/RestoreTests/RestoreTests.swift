import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import RestoreConsumer

/// Previews and restores, against the real sandbox.
@Suite struct RestoreTests {
    // MARK: preview

    @Test func aPreviewSaysWhatWouldBeDoneAndWritesNothing() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let scripts = backup.documents.of(.deviceScript)
            let filters = backup.documents.of(.assignmentFilter)
            try await stage.delete(scripts[0])
            try await stage.change(scripts[1], ["description": "damaged"])
            try await stage.change(filters[0], ["platform": "windows81AndLater"])
            try await stage.clearJournal()
            let before = try await stage.tenantState()
            let restore = try await stage.restore(backup.id, nil, .preview)
            #expect(restore.result.isCompleted)
            #expect(try await stage.writes().isEmpty)
            #expect(try await stage.tenantState() == before)
            let items = restore.items
            #expect(items.count == backup.documents.count)
            #expect(items.values.allSatisfy { $0.state == .planned && $0.label != nil && $0.detail != nil })
            #expect(items[scripts[0].item.key]?.result == "create")
            #expect(items[scripts[1].item.key]?.result == "update")
            #expect(items[scripts[1].item.key]?.objectID == scripts[1].item.policyID)
            #expect(items[scripts[2].item.key]?.result == "unchanged")
            #expect(items[filters[0].item.key]?.result == "conflict")
            for app in backup.documents.of(.mobileApp) {
                #expect(items[app.item.key]?.result == "not_restorable")
            }
            let total = backup.documents.count
            #expect(
                restore.result.counted == [
                    .total: total, .toCreate: 1, .toUpdate: 1, .conflict: 1, .notRestorable: 2,
                    .unchanged: total - 5,
                ])
        }
    }

    @Test func aPreviewCountsOnWhatItWouldCreateItself() async throws {
        try await ProviderStage.writable { stage in
            var backup = try await stage.backUp()
            let filter = try #require(
                backup.documents.of(.assignmentFilter).first { $0.content["platform"] == "windows10AndLater" }
            )
            let configuration = try #require(
                backup.documents.of(.deviceConfiguration).first { $0.item.secrets == 0 })
            try await stage.entities(
                "PATCH", stage.path(of: configuration),
                ["assignments": [Self.allDevices(filter: filter.item.policyID)]])
            backup = try await stage.backUp()
            let changed = try #require(backup.documents.first { $0.item.id == configuration.item.id })
            try await stage.delete(filter)
            try await stage.change(changed, ["assignments": []])
            let alone = try await stage.restore(backup.id, [changed], .preview)
            #expect(alone.items[changed.item.key]?.result == "not_restorable")
            #expect(alone.items[changed.item.key]?.detail?.contains(filter.item.policyID) == true)
            let both = try await stage.restore(backup.id, [changed, filter], .preview)
            #expect(both.items[changed.item.key]?.result == "update")
            #expect(both.items[filter.item.key]?.result == "create")
        }
    }

    private static func allDevices(filter: String) -> JSON {
        [
            "id": "a", "source": "direct", "sourceId": "a",
            "target": [
                "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
                "deviceAndAppManagementAssignmentFilterId": .string(filter),
                "deviceAndAppManagementAssignmentFilterType": "include",
            ],
        ]
    }

    // MARK: references

    /// What was deleted gets another id, and what refers to it gets to know that one.
    @Test func idsOfRecreatedFiltersAndScopeTagsAreMapped() async throws {
        try await ProviderStage.writable { stage in
            var backup = try await stage.backUp()
            let filter = try #require(
                backup.documents.of(.assignmentFilter).first { $0.content["platform"] == "windows10AndLater" }
            )
            let tag = try #require(backup.documents.of(.scopeTag).first { $0.item.policyID != "0" })
            let plain = try #require(
                backup.documents.of(.deviceConfiguration).first {
                    $0.item.secrets == 0
                        && $0.content["@odata.type"]?.string?.contains("windows10General") == true
                })
            try await stage.change(
                plain,
                [
                    "assignments": [Self.allDevices(filter: filter.item.policyID)],
                    "roleScopeTagIds": ["0", .string(tag.item.policyID)],
                ])
            backup = try await stage.backUp()
            let chosen = backup.documents.filter {
                [filter.item.id, tag.item.id, plain.item.id].contains($0.item.id)
            }
            for document in chosen { try await stage.delete(document) }
            let restore = try await stage.restore(backup.id, chosen)
            #expect(restore.result.counted == [.total: 3, .applied: 3, .created: 3])
            let filterID = try #require(restore.items[filter.item.key]?.objectID)
            let tagID = try #require(restore.items[tag.item.key]?.objectID)
            let id = try #require(restore.items[plain.item.key]?.objectID)
            #expect(
                filterID != filter.item.policyID && tagID != tag.item.policyID && id != plain.item.policyID)
            let live = try await stage.entities("GET", "/deviceConfigurations/\(id)")
            #expect(live["roleScopeTagIds"] == ["0", .string(tagID)])
            let target = live["assignments"]?[0]?["target"]
            #expect(target?["deviceAndAppManagementAssignmentFilterId"]?.string == filterID)
            #expect(target?["deviceAndAppManagementAssignmentFilterType"] == "include")
            // Once more: they are found by their names, and nothing is left to do.
            try await stage.clearJournal()
            let again = try await stage.restore(backup.id, chosen)
            #expect(again.result.counted == [.total: 3, .applied: 3, .unchanged: 3])
            #expect(try await stage.writes().isEmpty)
        }
    }

    @Test func aMissingGroupIsNamedAndNothingOfTheItemIsWritten() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let groups = Set(
                (try await stage.entities("GET", "/groups")["value"]?.array ?? []).compactMap {
                    $0["id"]?.string
                })
            let lacking = backup.documents.filter { document in
                document.item.secrets == 0 && document.item.kind != .mobileApp
                    && (document.content["assignments"]?.array ?? []).contains { assignment in
                        assignment["target"]?["groupId"]?.string.map { !groups.contains($0) } ?? false
                    }
            }
            let document = try #require(lacking.first)
            try await stage.delete(document)
            try await stage.clearJournal()
            let restore = try await stage.restore(backup.id, [document])
            let item = try #require(restore.items[document.item.key])
            #expect(item.state == .failed && item.result == "group_missing")
            let missing = try #require(
                document.content["assignments"]?.array?.compactMap { $0["target"]?["groupId"]?.string }
                    .first { !groups.contains($0) })
            #expect(item.detail?.contains(missing) == true)
            #expect(try await stage.writes().isEmpty)
            #expect(restore.result.counted == [.total: 1, .failed: 1])
            // The way out: without its assignments.
            let without = try await stage.restore(backup.id, [document], assignments: .leave)
            #expect(without.result.counted == [.total: 1, .applied: 1, .created: 1])
            #expect(try await stage.writes().map(\.change).contains("assign") == false)
        }
    }

    /// An exclusion that was lost comes back, and one group that nobody can find stops the whole set.
    @Test func exclusionsComeBackAsAWholeOrNotAtAll() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let excluding = try #require(
                backup.documents.first { document in
                    document.item.secrets == 0 && document.item.kind == .deviceConfiguration
                        && (document.content["assignments"]?.array ?? []).contains {
                            $0["target"]?["@odata.type"] == "#microsoft.graph.exclusionGroupAssignmentTarget"
                        }
                })
            let before = try await stage.entities("GET", stage.path(of: excluding))["assignments"]?.array
            try await stage.change(excluding, ["assignments": [Self.allUsers]])
            let restore = try await stage.restore(
                backup.id, [excluding], .execute, .restoreAssignments)
            #expect(restore.result.counted == [.total: 1, .applied: 1, .updated: 1])
            let after = try await stage.entities("GET", stage.path(of: excluding))["assignments"]?.array
            #expect(Set(after!.map { $0["target"] }) == Set(before!.map { $0["target"] }))
            // Now with an exclusion of a group that is gone.
            let groups = excluding.content["assignments"]!.array!.compactMap {
                $0["target"]?["groupId"]?.string
            }
            try await stage.entities("DELETE", "/groups/\(groups.last!)")
            try await stage.change(excluding, ["assignments": [Self.allUsers]])
            try await stage.clearJournal()
            let refused = try await stage.restore(backup.id, [excluding], .execute, .restoreAssignments)
            #expect(refused.items[excluding.item.key]?.result == "group_missing")
            #expect(try await stage.writes().isEmpty)
        }
    }

    private static let allUsers: JSON = [
        "id": "a", "source": "direct", "sourceId": "a",
        "target": [
            "@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget",
            "deviceAndAppManagementAssignmentFilterId": nil,
            "deviceAndAppManagementAssignmentFilterType": "none",
        ],
    ]

    @Test func assignmentsAloneNeedTheirObject() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let script = backup.documents.of(.deviceScript)[0]
            let filter = backup.documents.of(.assignmentFilter)[0]
            try await stage.delete(script)
            try await stage.change(filter, ["rule": "(device.model -eq \"damaged\")"])
            let restore = try await stage.restore(
                backup.id, [script, filter], .execute, .restoreAssignments)
            #expect(restore.items[script.item.key]?.result == "object_missing")
            #expect(restore.items[filter.item.key]?.result == "not_assignable")
            #expect(try await stage.writes().isEmpty)
        }
    }

    // MARK: which object it is

    @Test func anAmbiguousNameIsRefused() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let script = backup.documents.of(.deviceScript)[0]
            try await stage.delete(script)
            var twin: JSONObject = ["displayName": .string(script.item.name!), "fileName": "twin.ps1"]
            twin["scriptContent"] = script.content["scriptContent"]
            for _ in 0..<2 { try await stage.entities("POST", "/deviceManagementScripts", .object(twin)) }
            try await stage.clearJournal()
            let preview = try await stage.restore(backup.id, [script], .preview)
            #expect(preview.items[script.item.key]?.result == "conflict")
            let restore = try await stage.restore(backup.id, [script])
            let item = try #require(restore.items[script.item.key])
            #expect(item.state == .failed && item.result == "ambiguous")
            #expect(item.detail?.contains(script.item.name!) == true)
            #expect(try await stage.writes().isEmpty)
        }
    }

    @Test func oneObjectOfTheSameTypeAndNameIsTaken() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let script = backup.documents.of(.deviceScript)[0]
            try await stage.delete(script)
            let twin = try await stage.entities(
                "POST", "/deviceManagementScripts",
                [
                    "displayName": .string(script.item.name!), "fileName": "twin.ps1",
                    "scriptContent": "AAAA",
                ])
            try await stage.clearJournal()
            let restore = try await stage.restore(backup.id, [script])
            #expect(restore.result.counted == [.total: 1, .applied: 1, .updated: 1])
            let id = try #require(twin["id"]?.string)
            #expect(Set(try await stage.writes().map(\.id)) == [id])
            let live = try await stage.entities("GET", "/deviceManagementScripts/\(id)")
            #expect(live["scriptContent"] == script.content["scriptContent"])
        }
    }

    /// Seeded names repeat: a policy that is there by its id is that one, and never another's replacement.
    @Test func anObjectThatIsAnotherItemIsNotTakenForItsNamesake() async throws {
        try await ProviderStage.writable(["deviceManagementScripts": 8]) { stage in
            let backup = try await stage.backUp()
            let scripts = backup.documents.of(.deviceScript).filter { $0.item.secrets == 0 }
            let byName = Dictionary(grouping: scripts, by: \.item.name).values.first { $0.count > 1 }
            let twins = try #require(byName)
            try await stage.delete(twins[0])
            try await stage.clearJournal()
            let restore = try await stage.restore(backup.id, [twins[0]], assignments: .leave)
            #expect(restore.result.counted == [.total: 1, .applied: 1, .created: 1])
            #expect(!(try await stage.writes().map(\.id).contains(twins[1].item.policyID)))
        }
    }

    @Test func whatTheSetDoesNotHaveIsNamed() async throws {
        try await ProviderStage.writable { stage in
            let backup = try await stage.backUp()
            let stranger = UUID().uuidString.lowercased()
            let known = backup.documents.of(.deviceScript)[0]
            let permit = try await stage.run(
                .restoreExecute,
                [
                    "backup_id": .string("\(backup.id)"), "mode": "execute",
                    "items": [.string(stranger), .string(known.item.key)],
                ])
            let result = try await stage.execute(permit)
            #expect(result.counted == [.total: 2, .applied: 1, .unchanged: 1, .failed: 1])
            #expect(try await stage.rows(of: permit)[stranger]?.result == "not_in_backup")
            try await stage.end(permit)
            let other = try await stage.restore(RunID(UUID()), [known])
            guard case .failed(.notFound, let counts, _) = other.result else {
                Issue.record("\(other.result)")
                return
            }
            #expect([counts[.total], counts[.untouched]] == [1, 1])
        }
    }
}
