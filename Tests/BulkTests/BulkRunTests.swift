import Fixtures
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

/// Whole bulk runs, by two consumers on the real broker.
@Suite struct BulkRunTests {
    private static let all: JSON = ["filter": ["all": true]]

    @Test func whatTheDryRunCountsIsWhatHappens() async throws {
        try await BulkStage.with(devices: 60) { stage in
            let filter: JSON = ["filter": ["operating_system": "Windows"]]
            let parameters = try BulkParameters(filter, for: .deviceBulkSync)
            let division = RunDivision(pool: stage.pool)
            let choice = try await division.choice(parameters.selection, of: stage.world.connection)
            #expect((1..<60).contains(choice.eligible), "some, and not all")
            #expect(choice.ineligible.isEmpty)
            #expect(choice.examples.count == min(10, choice.eligible))
            let run = try await stage.start(.deviceBulkSync, filter)
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "succeeded")
            #expect(ended["applied"] == choice.eligible && ended["total"] == choice.eligible)
            #expect(Set(try await stage.changes(since: 0)).count == choice.eligible)
            // Two of three named ones are there no longer, or never were.
            let ids = try await stage.pool.query("SELECT device_id FROM inventory_devices ORDER BY 1 LIMIT 2")
                .map { try $0.text(0) }
            _ = try await stage.pool.query(
                "UPDATE inventory_devices SET gone_at = now(), gone_run = seen_run WHERE device_id = $1",
                [.text(ids[0])])
            let named: JSON = ["items": [.string(ids[0]), .string(ids[1]), "nobody"]]
            let second = try await division.choice(
                BulkParameters(named, for: .deviceBulkSync).selection, of: stage.world.connection)
            #expect(second.eligible == 1 && second.ineligible == ["gone": 1, "not_in_inventory": 1])
            let end = try await stage.ended(stage.start(.deviceBulkSync, named))
            #expect(end.outcome == "partially_succeeded")
            #expect([end["applied"], end["failed"], end["total"]] == [1, 2, 3])
        }
    }

    @Test func anAssignmentKeepsWhatIsThere() async throws {
        try await BulkStage.with(entities: ["deviceConfigurations": 60]) { stage in
            let group = try await stage.newGroup()
            let before = try await targets(stage)
            let run = try await stage.start(.policyBulkAssign, stage.assignment(to: group))
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "succeeded", "\(ended)")
            #expect(ended["applied"] == 60)
            let after = try await targets(stage)
            for (policy, targets) in before {
                let added = try #require(after[policy]).subtracting(targets)
                #expect(added.count == 1 && added.first?.contains(group) == true)
                #expect(targets.isSubset(of: after[policy]!), "exclusions and filters stay")
            }
            #expect(before.values.contains { $0.contains { $0.contains("exclusion") } })
            #expect(before.values.contains { $0.contains { $0.contains("FilterId") } })
            // Again: nothing is written.
            let end = try await stage.journalEnd()
            let again = try await stage.ended(
                stage.start(.policyBulkAssign, stage.assignment(to: group)))
            #expect(again.outcome == "succeeded" && again["skipped"] == 60)
            #expect(try await stage.changes(since: end).isEmpty)
            // The same group as an exclusion contradicts.
            var excluded = try #require(stage.assignment(to: group).object)
            excluded["assignment"] = ["target": "excluded_group", "group_id": .string(group)]
            let conflict = try await stage.ended(stage.start(.policyBulkAssign, .object(excluded)))
            #expect(conflict.outcome == "failed" && conflict["failed"] == 60)
            #expect(try await stage.changes(since: end).isEmpty)
            // And a group that is not there is not assigned.
            let nobody = try await stage.ended(
                stage.start(
                    .policyBulkAssign, stage.assignment(to: "00000000-0000-4000-8000-000000000001")))
            #expect(nobody.outcome == "failed" && nobody.reason == "not_found")
            #expect(try await stage.changes(since: end).isEmpty)
        }
    }

    @Test func policiesAreDeletedOnce() async throws {
        try await BulkStage.with(entities: ["deviceConfigurations": 40]) { stage in
            // The fifth and the ninth are done, and the answer is lost.
            for skip in [4, 8] {
                try await stage.provider.sandbox.arm(
                    "resetAfterCommit", tenant: stage.provider.entraTenant,
                    ["writes": true, "skip": .int(skip), "count": 1])
            }
            // One more is gone since the inventory was read: the last one, so that it is none whose answer is lost.
            let gone = try await stage.pool.query(
                "SELECT policy_id FROM inventory_policies WHERE kind = 'device_configuration' ORDER BY 1 DESC LIMIT 1"
            )[0].text(0)
            try await stage.entities("DELETE", "/deviceConfigurations/\(gone)")
            let run = try await stage.start(
                .policyBulkDelete, ["kind": "device_configuration", "filter": ["all": true]])
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "succeeded", "\(ended)")
            #expect([ended["applied"], ended["skipped"], ended["total"]] == [39, 1, 40])
            let changes = try await stage.changes(since: 0)
            #expect(changes.count == 39 && Set(changes).count == 39)
            let left = try await stage.entities("GET", "/deviceConfigurations")
            #expect(left["value"]?.array?.isEmpty == true)
            let lookedUp = try await stage.count(
                "SELECT count(*) FROM run_items WHERE result = 'looked_up' AND state = 'applied'")
            #expect(lookedUp == 2)
        }
    }

    @Test func aThrottledRunComesThrough() async throws {
        try await BulkStage.with(devices: 120) { stage in
            try await stage.provider.sandbox.arm(
                "writeQuota", tenant: stage.provider.entraTenant, ["requests": 50, "windowSeconds": 2])
            let run = try await stage.start(.deviceBulkSync, Self.all)
            let ended = try await stage.ended(run)
            #expect(ended.outcome == "succeeded", "\(ended)")
            #expect(ended["applied"] == 120)
            let changes = try await stage.changes(since: 0)
            #expect(changes.count == 120 && Set(changes).count == 120)
        }
    }

    /// What the ledger says is true at every moment.
    @Test func countsAreTrueWhileItRuns() async throws {
        try await BulkStage.with(devices: 200, writesPerSecond: 100) { stage in
            let run = try await stage.start(.deviceBulkSync, Self.all)
            try await stage.reached(1, run)
            var looks = 0
            while try await stage.count("SELECT count(*) FROM runs WHERE completed_at IS NULL") == 1 {
                let before = try await stage.changes(since: 0).count
                let (items, done) = try await ledger(run, stage)
                let after = try await stage.changes(since: 0).count
                #expect(items.values.reduce(0, +) == 200)
                let applied = items["applied", default: 0]
                #expect(applied == done)
                #expect(applied <= after, "nothing is said to be done that was not")
                #expect(applied + items["in_doubt", default: 0] >= before, "and nothing done is left out")
                looks += 1
            }
            #expect(looks > 3)
            let ended = try await stage.ended(run)
            #expect(ended["applied"] == 200 && ended.outcome == "succeeded")
            #expect(
                try await stage.count(
                    "SELECT count(*) FROM (SELECT DISTINCT worker_id FROM call_permits WHERE chunk > 0) w")
                    == 2,
                "both consumers worked on it")
            #expect(
                try await stage.count("SELECT count(*) FROM audit WHERE action = 'run.ended'") == 1)
        }
    }

    private func ledger(_ run: RunID, _ stage: BulkStage) async throws -> ([String: Int], Int) {
        let row = try await stage.pool.query(
            """
            SELECT (SELECT jsonb_object_agg(state, n)::text FROM
                        (SELECT state, count(*) AS n FROM run_items WHERE run_id = $1::uuid GROUP BY state) s),
                   (SELECT done FROM run_progress WHERE run_id = $1::uuid)
            """, [.uuid(run.uuid)])[0]
        let items = try JSON(parsing: row.text(0)).object!.members.map { ($0.key, $0.value.integer!) }
        return (Dictionary(uniqueKeysWithValues: items), try row.int(1))
    }

    /// The targets of each configuration, as texts.
    private func targets(_ stage: BulkStage) async throws -> [String: Set<String>] {
        let entities = try await stage.entities("GET", "/deviceConfigurations")["value"]?.array ?? []
        return Dictionary(
            uniqueKeysWithValues: entities.map { policy in
                let targets = policy["assignments"]?.array?.compactMap { assignment in
                    assignment["target"].map { String(decoding: $0.canonicalBytes, as: UTF8.self) }
                }
                return (policy["id"]?.string ?? "", Set(targets ?? []))
            })
    }
}
