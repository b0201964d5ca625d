import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer

/// The groups of the directory, as `inventory.sync` reads them.
@Suite struct DirectoryGroupTests {
    private static let list = "/v1.0/groups"

    private func stage(groups: Int, _ body: (ProviderStage) async throws -> Void) async throws {
        try await ProviderStage.with(
            devices: 0, roles: ProviderStage.allReaders, tenant: ["entities": ["groups": .int(groups)]], body)
    }

    private func groups(_ stage: ProviderStage) async throws -> [String: String?] {
        let rows = try await stage.database.pool.query(
            "SELECT group_id, display_name FROM directory_groups WHERE gone_at IS NULL")
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.text(0), try $0.textOrNil(1)) })
    }

    @Test func theyAreAsTheDirectoryHasThem() async throws {
        try await stage(groups: 12) { stage in
            try await stage.complete(.inventorySync)
            let there = try await stage.entities("GET", "/groups")["value"]?.array ?? []
            let expected = Dictionary(
                uniqueKeysWithValues: there.map { ($0["id"]?.string ?? "", $0["displayName"]?.string) })
            #expect(expected.count == 12)
            #expect(try await groups(stage) == expected)
        }
    }

    @Test func theyComeInPages() async throws {
        try await stage(groups: 2_100) { stage in
            let counts = try await stage.complete(.inventorySync)
            #expect(try await groups(stage).count == 2_100)
            #expect(try await stage.listCalls(Self.list) == 3)
            #expect(counts[.changed] == counts[.applied])
        }
    }

    @Test func whatIsRenamedDeletedOrBackIsCounted() async throws {
        try await stage(groups: 12) { stage in
            try await stage.complete(.inventorySync)
            let ids = try await stage.ids("groups")
            try await stage.entities("PATCH", "/groups/\(ids[0])", ["displayName": "Renamed"])
            try await stage.entities("DELETE", "/groups/\(ids[1])")
            let counts = try await stage.complete(.inventorySync)
            #expect([counts[.changed], counts[.gone]] == [1, 1])
            let there = try await groups(stage)
            #expect(there[ids[0]] == "Renamed")
            #expect(there[ids[1]] == nil)
            _ = try await stage.database.pool.query(
                "UPDATE directory_groups SET gone_at = now(), gone_run = seen_run WHERE group_id = $1",
                [.text(ids[2])])
            let again = try await stage.complete(.inventorySync)
            #expect([again[.changed], again[.gone]] == [1, 0])
            #expect(try await groups(stage)[ids[2]] != nil)
        }
    }

    @Test func aListThatBreaksOffMakesNothingGone() async throws {
        try await stage(groups: 1_200) { stage in
            try await stage.complete(.inventorySync)
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": .string(Self.list), "skip": 1, "retryAfter": 120])
            let first = try await stage.run(.inventorySync)
            guard case .failed(.unavailable, _, 120) = try await stage.execute(first) else {
                Issue.record("not failed")
                return
            }
            #expect(try await groups(stage).count == 1_200)
            try await stage.sandbox.control("DELETE", "/faults")
            let before = try await stage.listCalls(Self.list)
            guard case .completed(let counts) = try await stage.execute(stage.nextAttempt(of: first)) else {
                Issue.record("not completed")
                return
            }
            // It went on at the second page.
            #expect(try await stage.listCalls(Self.list) == before + 1)
            #expect([counts[.changed], counts[.gone], counts[.failed]] == [0, 0, 0])
        }
    }

    @Test func withoutThePermissionNothingIsGone() async throws {
        try await stage(groups: 12) { stage in
            try await stage.complete(.inventorySync)
            try await stage.sandbox.arm(
                "rolesRemoved", tenant: stage.entraTenant, ["roles": ["Group.Read.All"], "atOnce": true])
            _ = try await stage.execute(try await stage.run(.inventorySync))
            #expect(try await groups(stage).count == 12)
        }
    }
}
