import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer

/// Two backup sets of a tenant that was changed in between, against the real sandbox.
@Suite struct BackupComparisonTests {
    private func backup(_ stage: ProviderStage, _ parameters: JSON? = nil) async throws -> BackupSummary {
        let permit = try await stage.run(.backupRun, parameters)
        _ = try await stage.execute(permit)
        try await stage.end(permit)
        return try #require(
            try await BackupReading(pool: stage.database.pool).set(permit.execution.runID))
    }

    private func differences(
        _ stage: ProviderStage, _ earlier: BackupSummary, _ later: BackupSummary, limit: Int = 100
    ) async throws -> [BackupComparison.Difference] {
        let reading = BackupReading(pool: stage.database.pool)
        var found: [BackupComparison.Difference] = []
        var page: Page<BackupComparison.Difference>
        repeat {
            page = try await reading.differences(
                of: earlier.id, with: later.id, in: stage.world.tenant, kinds: PolicyKind.allCases,
                after: found.last?.item.id, limit: limit)
            found += page.entries
        } while page.hasMore
        return found
    }

    /// Runs' ids grow with time, but for those that this test's stage makes.
    private static func expected(
        _ one: BackupSummary, _ other: BackupSummary, isEqual: Bool
    ) -> [RunID: BackupPredecessor] {
        let ids = [one.id, other.id].sorted { "\($0)" < "\($1)" }
        return [ids[1]: BackupPredecessor(id: ids[0], isEqual: isEqual)]
    }

    @Test func anUnchangedTenantHasNoDifference() async throws {
        try await ProviderStage.few { stage in
            let (first, second) = (try await backup(stage), try await backup(stage))
            let reading = BackupReading(pool: stage.database.pool)
            let counts = try await reading.comparison(
                of: first.id, with: second.id, in: stage.world.tenant, kinds: PolicyKind.allCases)
            #expect(counts.differing == 0 && counts.unchanged == ProviderStage.fewCount)
            #expect(try await differences(stage, first, second).isEmpty)
            #expect(
                try await reading.predecessors(of: [first.id, second.id])
                    == Self.expected(first, second, isEqual: true))
        }
    }

    @Test func whatWasAddedRemovedAndChangedIsFound() async throws {
        try await ProviderStage.few { stage in
            let first = try await backup(stage)
            let filters = try await stage.ids("assignmentFilters")
            let (changed, removed) = (filters[0], filters[1])
            try await stage.entities(
                "PATCH", "/assignmentFilters/\(changed)",
                ["rule": "(device.model -eq \"X\")", "displayName": "Renamed"])
            try await stage.entities("DELETE", "/assignmentFilters/\(removed)")
            let second = try await backup(stage)
            let reading = BackupReading(pool: stage.database.pool)
            let counts = try await reading.comparison(
                of: first.id, with: second.id, in: stage.world.tenant, kinds: PolicyKind.allCases)
            #expect([counts.added, counts.removed, counts.changed] == [0, 1, 1])
            #expect(counts.unchanged == ProviderStage.fewCount - 2)
            let found = try await differences(stage, first, second)
            #expect(Set(found.map(\.item.policyID)) == [changed, removed])
            for difference in found {
                #expect((difference.after == nil) == (difference.item.policyID == removed))
                #expect(difference.before != nil)
            }
            let renamed = try #require(found.first { $0.item.policyID == changed })
            #expect(renamed.item.name == "Renamed" && renamed.before?.name != "Renamed")
            // The other way round the removed one was added; in pages of one the same is found.
            let backwards = try await differences(stage, second, first, limit: 1)
            #expect(backwards.count == 2)
            #expect(backwards.filter { $0.before == nil }.map(\.item.policyID) == [removed])
            #expect(
                try await reading.predecessors(of: [first.id, second.id])
                    == Self.expected(first, second, isEqual: false))
            // Of kinds that are not asked for, nothing.
            let scripts = try await reading.comparison(
                of: first.id, with: second.id, in: stage.world.tenant, kinds: [.deviceScript])
            #expect(scripts.differing == 0)
        }
    }

    @Test func aSetOfOtherKindsIsNoPredecessor() async throws {
        try await ProviderStage.few { stage in
            _ = try await backup(stage)
            let other = try await backup(stage, ["kinds": ["scope_tag"]])
            #expect(
                try await BackupReading(pool: stage.database.pool).predecessors(of: [other.id]).isEmpty)
        }
    }

    /// As people look for them: by kind and name, of one kind, by a part of the name; page by page the same.
    @Test func itemsAreFoundByKindAndName() async throws {
        try await ProviderStage.few { stage in
            let set = try await backup(stage)
            let reading = BackupReading(pool: stage.database.pool)
            func found(_ kind: PolicyKind?, _ text: String?, limit: Int) async throws -> [BackupItem] {
                var items: [BackupItem] = []
                var page: Page<BackupItem>
                repeat {
                    page = try await reading.items(
                        of: set.id, in: stage.world.tenant, kind: kind, named: text, after: items.last?.id,
                        limit: limit)
                    items += page.entries
                } while page.hasMore
                return items
            }
            let all = try await found(nil, nil, limit: 200)
            #expect(all.count == ProviderStage.fewCount)
            #expect(try await found(nil, nil, limit: 3) == all)
            #expect(all.map(\.kind.rawValue) == all.map(\.kind.rawValue).sorted())
            let name = try #require(all[4].name)
            let some = try await found(nil, String(name.uppercased().dropFirst(2)), limit: 200)
            #expect(some.contains(all[4]))
            #expect(some.allSatisfy { $0.name!.uppercased().contains(name.uppercased().dropFirst(2)) })
            #expect(try await found(.scopeTag, nil, limit: 200) == all.filter { $0.kind == .scopeTag })
            #expect(try await found(nil, "no such name", limit: 200).isEmpty)
        }
    }
}
