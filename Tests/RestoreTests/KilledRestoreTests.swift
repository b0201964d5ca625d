import Waiting
import Fixtures
import FoundationEssentials
import GraphFixtures
import JSON
import Operations
import Postgres
import Store
import Testing

@testable import RestoreConsumer

/// The consumer as it is installed, killed while it restores.
@Suite struct KilledRestoreTests {
    private static let kills = 4

    /// Kill -9 at random: the run ends, every object is written at most once in each way, and what the ledger says is
    /// what the provider has.
    @Test(arguments: 0..<10) func nothingIsAppliedTwice(_ round: Int) async throws {
        try await ProviderStage.writable(["deviceManagementScripts": 12, "deviceConfigurations": 24]) {
            stage in
            let backup = try await stage.backUp()
            let damaged = backup.documents.filter {
                $0.item.secrets == 0 && ![.mobileApp, .scopeTag].contains($0.item.kind)
            }
            for (index, document) in damaged.enumerated() {
                if index % 3 == 2, document.item.kind != .conditionalAccessPolicy {
                    try await stage.change(document, ["description": "damaged"])
                } else {
                    try await stage.delete(document)
                }
            }
            try await stage.sandbox.arm("slow", tenant: stage.entraTenant, ["delayMs": 20])
            try await stage.clearJournal()
            let before = Set(try await stage.tenantState().keys)
            let consumers = try await ConsumerProcesses.start(
                .restore, "RestoreConsumer", stage, environment: ["LIST_LAG_SECONDS": "1"])
            do {
                let run = try await consumers.begin(
                    .restoreExecute, ProviderStage.parameters(backup.id, damaged), by: stage.world.owner)
                let kills = try await killAfterRandomWrites(consumers, stage, run)
                #expect(kills > 0)
                let ended = try await consumers.ended(run)
                try await check(stage, run, ended.counts, damaged.count, before)
            } catch {
                await consumers.stop()
                throw error
            }
            await consumers.stop()
        }
    }

    /// Kills when the journal has some writes more: between a write and its record, or anywhere else.
    private func killAfterRandomWrites(
        _ consumers: ConsumerProcesses, _ stage: ProviderStage, _ run: RunID
    ) async throws -> Int {
        var target = 0
        for kill in 0..<Self.kills {
            target += Int.random(in: 1...12)
            let isOver = try await eventually("the restore gets on") { () -> Bool? in
                let row = try await stage.database.pool.query(
                    "SELECT completed_at IS NOT NULL FROM runs WHERE id = $1::uuid", [.uuid(run.uuid)])[0]
                if try row.bool(0) { return true }
                return try await stage.writes().count >= target ? false : nil
            }
            if isOver { return kill }
            try consumers.killAndLaunch()
            target = max(target, try await stage.writes().count)
        }
        return Self.kills
    }

    private func check(
        _ stage: ProviderStage, _ run: RunID, _ counts: JSON, _ total: Int, _ before: Set<String>
    ) async throws {
        func count(_ key: SummaryCounts.Key) -> Int { counts[key.rawValue]?.integer ?? 0 }
        #expect(count(.total) == total)
        #expect(count(.applied) + count(.untouched) + count(.failed) + count(.inDoubt) == total)
        let writes = try await stage.writes()
        #expect(Set(writes).count == writes.count, "something was written twice")
        let rows = try await stage.ledger.items(of: run, limit: 5_000).map(\.item)
        #expect(rows.count == total)
        let created = writes.filter { $0.change == "create" }
        let applied = rows.filter { $0.state == .applied }
        #expect(
            Set(created.map(\.id)) == Set(applied.filter { $0.result == "created" }.compactMap(\.objectID)))
        #expect(created.count == applied.count { $0.result == "created" })
        #expect(Set(writes.map(\.id)).isSubset(of: Set(rows.compactMap(\.objectID))))
        // Nothing else appeared.
        let after = Set(try await stage.tenantState().keys)
        #expect(after.subtracting(before).count == created.count)
        for row in rows where row.state != .applied { #expect(row.detail?.isEmpty == false, "\(row)") }
    }
}
