import Waiting
import FoundationEssentials
import Fixtures
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import Graph
@testable import ProviderConsumer

@Suite struct ComplianceSnapshotTests {
    private static let list = "/v1.0/deviceManagement/managedDevices"

    private func execute(_ stage: ProviderStage, _ permit: ExecutionPermit) async throws -> ExecutionResult {
        try await ComplianceSnapshot(gateway: stage.gateway, ledger: stage.ledger).execute(permit)
    }

    /// What the sandbox knows about its devices, as the counts should be.
    private func expected(_ stage: ProviderStage) async throws -> SummaryCounts {
        let tenant = try await stage.sandbox.control("GET", "/tenants/\(stage.entraTenant)")
        var counts = SummaryCounts()
        for key in [SummaryCounts.Key.failed, .untouched] { counts[key] = 0 }
        counts[.total] = try #require(tenant["devices"]?.integer)
        counts[.applied] = counts[.total]
        let keys: [String: SummaryCounts.Key] = [
            "unknown": .unknown, "compliant": .compliant, "noncompliant": .noncompliant,
            "conflict": .conflict, "error": .error, "inGracePeriod": .inGracePeriod,
            "configManager": .configManager,
        ]
        for (state, count) in try #require(tenant["complianceStates"]?.object).members where count != 0 {
            counts[keys[state] ?? .other] += try #require(count.integer)
        }
        return counts
    }

    /// The calls of the list, first and following pages.
    private func pages(_ stage: ProviderStage) async throws -> Int {
        try await stage.sandbox.calls(tenant: stage.entraTenant).filter { $0.path == Self.list }.count
    }

    @Test(arguments: [0, 1, 999, 1_000, 2_500]) func countsEveryDevice(devices: Int) async throws {
        try await ProviderStage.with(devices: devices) { stage in
            let permit = try await stage.run(.complianceSnapshot)
            let result = try await execute(stage, permit)
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(counts == (try await expected(stage)))
            #expect(try await stage.items(of: permit).count == devices)
            #expect(
                try await stage.ledger.progress(of: permit.execution.runID)
                    == Ledger.Progress(done: devices, total: devices, cursor: nil))
            #expect(try await stage.permits().allSatisfy { $0.isClosed && $0.status == 200 })
            #expect(try await pages(stage) == max(1, (devices + 999) / 1_000))
        }
    }

    @Test func anotherAttemptGoesOnWhereTheFirstStopped() async throws {
        try await ProviderStage.with(devices: 2_500) { stage in
            try await stage.sandbox.arm(
                "outage", tenant: stage.entraTenant,
                ["path": .string(Self.list), "skip": 2, "retryAfter": 120])
            let first = try await stage.run(.complianceSnapshot)
            let failed = try await execute(stage, first)
            guard case .failed(.unavailable, let counts, 120) = failed else {
                Issue.record("\(failed)")
                return
            }
            #expect([counts[.total], counts[.applied], counts[.untouched]] == [2_500, 2_000, 500])
            try await stage.sandbox.control("DELETE", "/faults")
            let before = try await pages(stage)
            let second = try await stage.nextAttempt(of: first)
            let result = try await execute(stage, second)
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(counts == (try await expected(stage)))
            #expect(try await pages(stage) == before + 1)
        }
    }

    @Test func anExpiredLinkStartsOverOnce() async throws {
        try await ProviderStage.with(devices: 2_500) { stage in
            try await stage.sandbox.arm(
                "expiredSkipToken", tenant: stage.entraTenant, ["skip": 1, "count": 1])
            let permit = try await stage.run(.complianceSnapshot)
            guard case .completed(let counts) = try await execute(stage, permit) else {
                Issue.record("not completed")
                return
            }
            #expect(counts == (try await expected(stage)))
        }
    }

    @Test func linksThatExpireAgainEndIt() async throws {
        try await ProviderStage.with(devices: 2_500) { stage in
            try await stage.sandbox.arm("expiredSkipToken", tenant: stage.entraTenant)
            let permit = try await stage.run(.complianceSnapshot)
            let result = try await execute(stage, permit)
            guard case .failed(.invalidRequest, let counts, _) = result else {
                Issue.record("\(result)")
                return
            }
            #expect([counts[.total], counts[.applied], counts[.untouched]] == [2_500, 1_000, 1_500])
        }
    }

    static let nuisances: [(String, JSONObject)] = [
        ("unauthorized", ["skip": 2, "count": 1]), ("emptyPage", ["skip": 1, "count": 1]),
        ("truncate", ["skip": 1, "count": 1]), ("reset", ["skip": 2, "count": 2]),
        ("throttle", ["skip": 1, "count": 1, "retryAfter": 1]), ("nextLink", ["form": "upperCaseHost"]),
        ("nextLink", ["form": "doubleEncoded"]), ("outage", ["status": 502, "html": true, "count": 2]),
    ]

    @Test(arguments: nuisances)
    func nuisancesChangeNothing(_ kind: String, _ more: JSONObject) async throws {
        try await ProviderStage.with(devices: 2_500) { stage in
            var fault = more
            fault["path"] = .string(Self.list)
            try await stage.sandbox.arm(kind, tenant: stage.entraTenant, fault)
            let permit = try await stage.run(.complianceSnapshot)
            let result = try await execute(stage, permit)
            guard case .completed(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(counts == (try await expected(stage)))
        }
    }

    @Test func devicesThatComeAndGoAreCountedOnce() async throws {
        try await ProviderStage.with(devices: 3_500) { stage in
            try await stage.sandbox.arm(
                "churn", tenant: stage.entraTenant, ["insert": 20, "delete": 20, "rename": 20])
            let permit = try await stage.run(.complianceSnapshot)
            guard case .completed(let counts) = try await execute(stage, permit) else {
                Issue.record("not completed")
                return
            }
            #expect(counts[.total] == (try await stage.items(of: permit).count))
            #expect(counts[.total] == counts[.applied])
            // What stayed all the time is there; what came or went while it listed may be.
            #expect((3_400...3_600).contains(counts[.total]))
        }
    }

    /// Waits until the first page is recorded.
    private func firstPage(_ stage: ProviderStage, _ permit: ExecutionPermit) async throws {
        _ = try await eventually("the first page") {
            try await stage.ledger.progress(of: permit.execution.runID).flatMap { $0.done > 0 ? $0 : nil }
        }
    }

    @Test func aRevokeStopsItBetweenPages() async throws {
        try await ProviderStage.with(devices: 8_500) { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": .string(Self.list), "skip": 1, "delayMs": 700])
            let permit = try await stage.run(.complianceSnapshot)
            async let running = execute(stage, permit)
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
            let recorded = try await stage.items(of: permit).count
            #expect((1_000..<8_500).contains(recorded))
            #expect([counts[.total], counts[.applied]] == [8_500, recorded])
            #expect(counts[.untouched] == 8_500 - recorded)
            #expect(try await stage.sandbox.calls(tenant: stage.entraTenant).count == settledCalls)
            let late = try await stage.database.pool.query(
                "SELECT id FROM call_permits WHERE opened_at > $1::timestamptz",
                [.timestamp(answer.effectiveAt)])
            #expect(late.isEmpty)
        }
    }

    @Test func askedToStopItStopsBetweenPages() async throws {
        try await ProviderStage.with(devices: 4_500) { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": .string(Self.list), "skip": 1, "delayMs": 500])
            let permit = try await stage.run(.complianceSnapshot)
            async let running = execute(stage, permit)
            try await firstPage(stage, permit)
            _ = try await stage.database.pool.query("UPDATE runs SET cancel_requested = true")
            let result = try await running
            guard case .cancelled(let counts) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(counts[.applied] > 0)
            #expect(counts[.untouched] > 0)
        }
    }

    @Test func aLostAttemptRecordsNothingMore() async throws {
        try await ProviderStage.with(devices: 4_500) { stage in
            try await stage.sandbox.arm(
                "slow", tenant: stage.entraTenant, ["path": .string(Self.list), "skip": 1, "delayMs": 500])
            let permit = try await stage.run(.complianceSnapshot)
            async let running = execute(stage, permit)
            try await firstPage(stage, permit)
            _ = try await stage.nextAttempt(of: permit)
            let recorded = try await stage.items(of: permit).count
            let result = try await running
            guard case .failed(.workerLost, _, _) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(try await stage.items(of: permit).count == recorded)
        }
    }

    @Test func aMissingPermissionFailsIt() async throws {
        try await ProviderStage.with(roles: ["Organization.Read.All"]) { stage in
            let permit = try await stage.run(.complianceSnapshot)
            let result = try await execute(stage, permit)
            guard case .failed(.permissionMissing, let counts, nil) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(counts[.total] == 0)
        }
    }
}

@Suite struct DeviceTallyTests {
    @Test func knownStatesStayAsTheyAreAndTheRestIsOther() {
        let known = [
            "unknown", "compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager",
        ]
        for state in known {
            let items = DeviceTally.items([["id": "d", "complianceState": .string(state)]], after: 0)
            #expect(items == [Ledger.Item(key: "d", state: .applied, result: state)])
        }
        let others: [JSON] = [
            ["id": "d"], ["id": "d", "complianceState": nil], ["id": "d", "complianceState": "Compliant"],
            ["id": "d", "complianceState": "nonCompliant"],
            ["id": "d", "complianceState": "pendingEvaluation"],
            ["id": "d", "complianceState": 3], ["id": "d", "complianceState": "other"],
        ]
        for item in DeviceTally.items(others, after: 0) {
            #expect(item == Ledger.Item(key: "d", state: .applied, result: "other"))
        }
    }

    @Test func devicesWithoutUsableIDFailAlone() {
        let devices: [JSON] = [
            ["complianceState": "compliant"], ["id": ""], ["id": 7], ["id": "a\u{0}b"], 5,
            ["id": .string(String(repeating: "x", count: 513))], ["id": "good", "complianceState": "error"],
        ]
        let items = DeviceTally.items(devices, after: 1_000)
        #expect(items.prefix(6).map(\.key) == (1_000..<1_006).map { "without id: \($0)" })
        #expect(items.prefix(6).allSatisfy { $0.state == .failed && $0.result == "malformed_answer" })
        #expect(items[6] == Ledger.Item(key: "good", state: .applied, result: "error"))
    }

    @Test func countsAddUp() {
        let counts = DeviceTally.counts(
            [
                (.applied, "compliant", 7), (.applied, "inGracePeriod", 2), (.applied, "other", 1),
                (.applied, nil, 1), (.failed, "malformed_answer", 3),
            ], expected: 20)
        #expect(counts[.total] == 20)
        #expect(counts[.applied] == 11)
        #expect(counts[.failed] == 3)
        #expect(counts[.untouched] == 6)
        #expect([counts[.compliant], counts[.inGracePeriod], counts[.other]] == [7, 2, 2])
    }

    @Test func anOverviewThatLagsTakesNothingAway() {
        let counts = DeviceTally.counts([(.applied, "compliant", 30)], expected: 20)
        #expect([counts[.total], counts[.applied], counts[.untouched]] == [30, 30, 0])
    }
}
