import Waiting
import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import InventoryConsumer

@Suite struct InventorySyncTests {
    private static let list = "/v1.0/deviceManagement/managedDevices"
    /// Everything but devices.
    private static let few = ProviderStage.fewCount + ProviderStage.fewGroups

    private func numbers(_ counts: SummaryCounts) -> [Int] {
        [counts[.total], counts[.applied], counts[.changed], counts[.gone], counts[.failed]]
    }

    @Test(arguments: [0, 1, 999, 1_000, 2_500]) func bringsEverythingIntoTheInventory(devices: Int)
        async throws
    {
        try await ProviderStage.few(devices: devices) { stage in
            let counts = try await stage.complete(.inventorySync)
            let all = devices + Self.few
            #expect(numbers(counts) == [all, all, all, 0, 0])
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_devices WHERE gone_at IS NULL")
                    == devices)
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_policies")
                    == ProviderStage.fewCount)
            #expect(
                try await stage.count("SELECT count(*) FROM directory_groups") == ProviderStage.fewGroups)
            #expect(try await stage.listCalls(Self.list) == max(1, (devices + 999) / 1_000))
            #expect(try await stage.permits().allSatisfy { $0.isClosed && $0.status == 200 })
        }
    }

    @Test func aDeviceIsAsItsListShowsIt() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.inventorySync)
            let devices = try await stage.graph("GET", Self.list, stage.token(roles: [])).body
            let device = try #require(devices["value"]?.array?.first)
            let row = try await stage.database.pool.query(
                """
                SELECT name, serial_number, operating_system, compliance_state, entra_device_id FROM inventory_devices
                WHERE device_id = $1
                """, [.text(try #require(device["id"]?.string))])[0]
            #expect(try row.textOrNil("name") == device["deviceName"]?.string)
            #expect(try row.textOrNil("serial_number") == device["serialNumber"]?.string)
            #expect(try row.textOrNil("operating_system") == device["operatingSystem"]?.string)
            #expect(try row.textOrNil("compliance_state") == device["complianceState"]?.string)
            #expect(try row.textOrNil("entra_device_id") == device["azureADDeviceId"]?.string)
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_devices WHERE last_sync_at IS NOT NULL")
                    > 0)
        }
    }

    @Test func anUnchangedTenantHasNoChanges() async throws {
        try await ProviderStage.few(devices: 1_200) { stage in
            try await stage.complete(.inventorySync)
            let counts = try await stage.complete(.inventorySync)
            #expect(numbers(counts) == [1_200 + Self.few, 1_200 + Self.few, 0, 0, 0])
        }
    }

    @Test func whatChangedOrIsGoneIsCounted() async throws {
        try await ProviderStage.few(devices: 1_200) { stage in
            try await stage.complete(.inventorySync)
            let policies = try await stage.entities("GET", "/deviceConfigurations")["value"]?.array ?? []
            let ids = policies.compactMap { $0["id"]?.string }
            try await stage.entities("PATCH", "/deviceConfigurations/\(ids[0])", ["displayName": "Renamed"])
            try await stage.entities("DELETE", "/deviceConfigurations/\(ids[1])")
            _ = try await stage.database.pool.query(
                """
                UPDATE inventory_devices SET os_version = 'older' WHERE device_id IN (
                    SELECT device_id FROM inventory_devices ORDER BY device_id LIMIT 3)
                """)
            _ = try await stage.database.pool.query(
                """
                INSERT INTO inventory_devices (tenant_id, connection_id, device_id, seen_run, changed_run)
                SELECT tenant_id, connection_id, 'left long ago', gen_random_uuid(), gen_random_uuid()
                FROM inventory_devices LIMIT 1
                """)
            let counts = try await stage.complete(.inventorySync)
            let seen = 1_200 + Self.few - 1
            #expect(numbers(counts) == [seen, seen, 4, 2, 0])
            let gone = try await stage.database.pool.query(
                "SELECT policy_id FROM inventory_policies WHERE gone_at IS NOT NULL")
            #expect(try gone.map { try $0.text(0) } == [ids[1]])
            // What is gone is gone once.
            #expect(numbers(try await stage.complete(.inventorySync)) == [seen, seen, 0, 0, 0])
        }
    }

    @Test func whatComesBackIsNoLongerGone() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.inventorySync)
            _ = try await stage.database.pool.query(
                """
                UPDATE inventory_devices SET gone_at = now(), gone_run = seen_run WHERE device_id IN (
                    SELECT device_id FROM inventory_devices LIMIT 2)
                """)
            let counts = try await stage.complete(.inventorySync)
            #expect([counts[.changed], counts[.gone]] == [2, 0])
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_devices WHERE gone_at IS NOT NULL") == 0
            )
        }
    }

    @Test func aListThatBreaksOffMakesNothingGone() async throws {
        try await ProviderStage.few(devices: 2_500) { stage in
            try await stage.complete(.inventorySync)
            let pages = try await stage.listCalls(Self.list)
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": .string(Self.list), "skip": 1, "retryAfter": 120])
            let permit = try await stage.run(.inventorySync)
            let result = try await stage.execute(permit)
            guard case .failed(.unavailable, let counts, 120) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(counts) == [2_500, 1_000, 0, 0, 0])
            #expect(counts[.untouched] == 1_500)
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_devices WHERE gone_at IS NOT NULL") == 0
            )
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_policies WHERE gone_at IS NOT NULL")
                    == 0)
            #expect(try await stage.listCalls(Self.list) == pages + 2)
        }
    }

    @Test func anotherAttemptGoesOnWhereTheFirstStopped() async throws {
        try await ProviderStage.few(devices: 2_500) { stage in
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": .string(Self.list), "skip": 2, "retryAfter": 120])
            let first = try await stage.run(.inventorySync)
            guard case .failed(.unavailable, let counts, 120) = try await stage.execute(first) else {
                Issue.record("not failed")
                return
            }
            #expect([counts[.applied], counts[.untouched]] == [2_000, 500])
            try await stage.sandbox.control("DELETE", "/faults")
            let before = try await stage.listCalls(Self.list)
            let second = try await stage.nextAttempt(of: first)
            let result = try await stage.execute(second)
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(counts) == [2_500 + Self.few, 2_500 + Self.few, 2_500 + Self.few, 0, 0])
            #expect(try await stage.listCalls(Self.list) == before + 1)
        }
    }

    @Test func anotherAttemptDoesNotReadFinishedListsAgain() async throws {
        let scripts = "/beta/deviceManagement/deviceManagementScripts"
        try await ProviderStage.few { stage in
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant, ["path": .string(scripts), "retryAfter": 120])
            let first = try await stage.run(.inventorySync)
            guard case .failed(.unavailable, _, 120) = try await stage.execute(first) else {
                Issue.record("not failed")
                return
            }
            try await stage.sandbox.control("DELETE", "/faults")
            let result = try await stage.execute(try await stage.nextAttempt(of: first))
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(numbers(counts) == [25 + Self.few, 25 + Self.few, 25 + Self.few, 0, 0])
            #expect(try await stage.listCalls(Self.list) == 1)
            #expect(try await stage.listCalls("/beta/deviceManagement/deviceConfigurations") == 1)
            #expect(try await stage.listCalls("/beta/deviceManagement/roleScopeTags") == 1)
        }
    }

    @Test func anExpiredLinkStartsTheListAgain() async throws {
        try await ProviderStage.few(devices: 2_500) { stage in
            try await stage.sandbox.arm(
                "expiredSkipToken", tenant: stage.entraTenant, ["skip": 1, "count": 1])
            let counts = try await stage.complete(.inventorySync)
            #expect(numbers(counts) == [2_500 + Self.few, 2_500 + Self.few, 2_500 + Self.few, 0, 0])
            let progress = try await stage.database.pool.query("SELECT done, total FROM run_progress")[0]
            #expect(try progress.int(0) == 2_500 + Self.few)
        }
    }

    static let nuisances: [(String, JSONObject)] = [
        ("unauthorized", ["skip": 2, "count": 1]), ("emptyPage", ["skip": 1, "count": 1]),
        ("truncate", ["skip": 1, "count": 1]), ("reset", ["skip": 2, "count": 2]),
        ("throttle", ["skip": 1, "count": 1, "retryAfter": 1]), ("nextLink", ["form": "upperCaseHost"]),
        ("outage", ["status": 502, "html": true, "count": 2]),
    ]

    @Test(arguments: nuisances)
    func nuisancesChangeNothing(_ kind: String, _ fault: JSONObject) async throws {
        try await ProviderStage.few(devices: 2_500) { stage in
            try await stage.sandbox.arm(kind, tenant: stage.entraTenant, fault)
            let counts = try await stage.complete(.inventorySync)
            #expect(numbers(counts) == [2_500 + Self.few, 2_500 + Self.few, 2_500 + Self.few, 0, 0])
        }
    }

    @Test func aSurfaceThatMayNotBeReadIsNamedAndTheRestIsRead() async throws {
        let roles = ProviderStage.allReaders.filter { $0 != "DeviceManagementScripts.Read.All" }
        try await ProviderStage.few(roles: roles) { stage in
            let permit = try await stage.run(.inventorySync)
            guard case .completed(let counts) = try await stage.execute(permit) else {
                Issue.record("not completed")
                return
            }
            let read = 25 + Self.few - 2
            #expect(numbers(counts) == [read + 1, read, read, 0, 1])
            #expect(try await stage.items(of: permit) == ["list: device_script": "failed permission_missing"])
        }
    }

    /// Devices and policies do not depend on them.
    @Test func groupsThatMayNotBeReadAreNamedAndTheRestIsRead() async throws {
        let roles = ProviderStage.allReaders.filter { $0 != "Group.Read.All" }
        try await ProviderStage.few(roles: roles) { stage in
            let permit = try await stage.run(.inventorySync)
            guard case .completed(let counts) = try await stage.execute(permit) else {
                Issue.record("not completed")
                return
            }
            let read = 25 + ProviderStage.fewCount
            #expect(numbers(counts) == [read + 1, read, read, 0, 1])
            #expect(try await stage.items(of: permit) == ["list: groups": "failed permission_missing"])
        }
    }

    @Test func aListThatMayNotBeReadAnyMoreMakesNothingGone() async throws {
        try await ProviderStage.few { stage in
            try await stage.complete(.inventorySync)
            try await stage.sandbox.arm(
                "rolesRemoved", tenant: stage.entraTenant,
                ["roles": ["DeviceManagementScripts.Read.All"], "atOnce": true])
            let permit = try await stage.run(.inventorySync)
            _ = try await stage.execute(permit)
            #expect(
                try await stage.count("SELECT count(*) FROM inventory_policies WHERE gone_at IS NOT NULL")
                    == 0)
        }
    }

    @Test func withoutAnyPermissionItFails() async throws {
        try await ProviderStage.few(roles: ["Organization.Read.All"]) { stage in
            let result = try await stage.execute(try await stage.run(.inventorySync))
            guard case .failed(.permissionMissing, let counts, nil) = result else {
                Issue.record("\(result)")
                return
            }
            #expect([counts[.applied], counts[.failed]] == [0, 12])
        }
    }

    private func firstPage(_ stage: ProviderStage, _ permit: ExecutionPermit) async throws {
        _ = try await eventually("the first page") {
            try await stage.ledger.progress(of: permit.execution.runID).flatMap { $0.done > 0 ? $0 : nil }
        }
    }

    @Test func aRevokeStopsItBetweenPages() async throws {
        try await ProviderStage.few(devices: 8_500) { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": .string(Self.list), "skip": 1, "delayMs": 700])
            let permit = try await stage.run(.inventorySync)
            async let running = stage.execute(permit)
            try await firstPage(stage, permit)
            let answer = try await AuthorityChanges(pool: stage.database.pool, makeID: { UUID() }).apply(
                .revokeMembership(user: stage.world.operator, tenant: nil), in: stage.world.workspace,
                by: .user(stage.world.owner))
            let settledCalls = try await stage.sandbox.calls(tenant: stage.entraTenant).count
            #expect(answer.settledAt != nil)
            #expect(answer.inDoubt.isEmpty)
            let result = try await running
            guard case .refused(let decision, let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(decision.denial == .tenantNotEntitled)
            let recorded = try await stage.count("SELECT count(*) FROM inventory_devices")
            #expect((1_000..<8_500).contains(recorded))
            #expect(numbers(counts) == [8_500, recorded, recorded, 0, 0])
            #expect(counts[.untouched] == 8_500 - recorded)
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).count == settledCalls)
        }
    }

    @Test func askedToStopItStops() async throws {
        try await ProviderStage.few(devices: 4_500) { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": .string(Self.list), "skip": 1, "delayMs": 500])
            let permit = try await stage.run(.inventorySync)
            async let running = stage.execute(permit)
            try await firstPage(stage, permit)
            _ = try await stage.database.pool.query("UPDATE runs SET cancel_requested = true")
            guard case .cancelled(let counts) = try await running else {
                Issue.record("not cancelled")
                return
            }
            #expect(counts[.applied] > 0)
            #expect(counts[.untouched] > 0)
        }
    }

    @Test func aLostAttemptRecordsNothingMore() async throws {
        try await ProviderStage.few(devices: 4_500) { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": .string(Self.list), "skip": 1, "delayMs": 500])
            let permit = try await stage.run(.inventorySync)
            async let running = stage.execute(permit)
            try await firstPage(stage, permit)
            _ = try await stage.nextAttempt(of: permit)
            let recorded = try await stage.count("SELECT count(*) FROM inventory_devices")
            guard case .failed(.workerLost, _, _) = try await running else {
                Issue.record("not lost")
                return
            }
            #expect(try await stage.count("SELECT count(*) FROM inventory_devices") == recorded)
        }
    }
}
