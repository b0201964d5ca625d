import Fixtures
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

/// Kill -9 of consumers while two of them work on one run: 50 times in 10 runs. (Restores have 10 runs of their own.)
@Suite struct KilledBulkConsumerTests {
    private static let runs = 5
    private static let killsOfRun = 5

    /// An assignment can be looked up: in the end each policy got it, exactly once.
    @Test func assignmentsAreNeitherLostNorRepeated() async throws {
        try await BulkStage.with(entities: ["deviceConfigurations": 160]) { stage in
            try await stage.provider.sandbox.arm("slow", tenant: stage.provider.entraTenant, ["delayMs": 30])
            var allKills = 0
            for _ in 0..<Self.runs {
                let start = try await stage.journalEnd()
                let group = try await stage.newGroup()
                let run = try await stage.start(.policyBulkAssign, stage.assignment(to: group))
                let kills = try await killAtRandom(stage, run, step: 25)
                allKills += kills
                let ended = try await stage.ended(run)
                #expect(ended.outcome == "succeeded", "\(kills) kills: \(ended)")
                #expect(ended["applied"] == 160)
                let changes = try await stage.changes(since: start)
                #expect(changes.count == 160 && Set(changes).count == 160, "\(kills) kills")
            }
            #expect(allKills >= 20)
        }
    }

    /// Whether a device was asked can't be looked up: it stays in doubt, and is not asked again.
    @Test func requestsAreNeitherLostNorRepeated() async throws {
        try await BulkStage.with(devices: 200) { stage in
            try await stage.provider.sandbox.arm("slow", tenant: stage.provider.entraTenant, ["delayMs": 30])
            var allKills = 0
            for _ in 0..<Self.runs {
                let start = try await stage.journalEnd()
                let run = try await stage.start(.deviceBulkSync, ["filter": ["all": true]])
                let kills = try await killAtRandom(stage, run, step: 30)
                allKills += kills
                let ended = try await stage.ended(run)
                let changes = try await stage.changes(since: start)
                #expect(Set(changes).count == changes.count, "none twice")
                #expect(ended["applied"] <= changes.count)
                #expect(ended["applied"] + ended["in_doubt"] == 200, "\(kills) kills: \(ended)")
                #expect(changes.count <= 200)
                #expect(ended["in_doubt"] <= kills * 8)
            }
            #expect(allKills >= 20)
        }
    }

    private func killAtRandom(_ stage: BulkStage, _ run: RunID, step: Int) async throws -> Int {
        var target = 0
        for kill in 0..<Self.killsOfRun {
            target += Int.random(in: 1...step)
            let reached = try await stage.reached(target, run)
            if reached < 0 { return kill }
            target = reached
            try stage.killOne()
        }
        return Self.killsOfRun
    }
}
