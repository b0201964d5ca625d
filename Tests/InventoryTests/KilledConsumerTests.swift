import AMQP
import Fixtures
import Foundation
import GraphFixtures
import JSON
import JobRuntime
import Operations
import Postgres
import Sealing
import Store
import Testing

/// The consumer as it is installed, killed while it works.
@Suite struct KilledConsumerTests {
    private static let list = "/v1.0/deviceManagement/managedDevices"
    private static let devices = 9_500

    /// Kill -9 at random pages: every attempt goes on after the last recorded page, and what comes of all of them is
    /// what one would have made.
    @Test(arguments: [OperationType.inventorySync, .inventorySync, .backupRun])
    func anAttemptGoesOnAfterTheLastRecordedPage(_ type: OperationType) async throws {
        try await ProviderStage.few(devices: Self.devices) { stage in
            // Known before, so that what is gone can be told.
            try await stage.complete(.inventorySync)
            let calls = try await stage.sandbox.calls(tenant: stage.entraTenant).count
            try await stage.sandbox.arm("slow", tenant: stage.entraTenant, ["delayMs": 60])
            let consumers = try await ConsumerProcesses.start(.inventory, "InventoryConsumer", stage)
            let run: RunID
            do {
                run = try await consumers.begin(type, by: stage.world.operator)
                let kills = try await consumers.killAtRandom(
                    run, times: 3, most: type == .inventorySync ? 2_500 : 6)
                #expect(kills > 0)
                let ended = try await consumers.ended(run)
                #expect(ended.outcome == .succeeded)
                let counts = ["applied", "total", "gone", "failed"].map { ended.counts[$0]?.integer ?? 0 }
                let more = type == .inventorySync ? Self.devices + ProviderStage.fewGroups : 0
                let all = ProviderStage.fewCount + more
                #expect(counts == [all, all, 0, 0], "applied, total, gone, failed")
            } catch {
                await consumers.stop()
                throw error
            }
            await consumers.stop()
            let journal = try await stage.sandbox.calls(tenant: stage.entraTenant).dropFirst(calls)
            let first = journal.count { $0.path == "/beta/deviceManagement/deviceConfigurations" }
            // A page that was read and not recorded is read again; finished lists are not.
            #expect(first <= 1 + 3)
            if type == .inventorySync {
                let pages = journal.count { $0.path == Self.list }
                #expect((10...(10 + 2 * 3)).contains(pages), "\(pages) pages")
                #expect(
                    try await stage.count("SELECT count(*) FROM inventory_devices WHERE gone_at IS NULL")
                        == Self.devices)
            } else {
                let set = try #require(try await BackupReading(pool: stage.database.pool).set(run))
                #expect(set.completedAt != nil)
                #expect(set.items == ProviderStage.fewCount)
            }
        }
    }
}
