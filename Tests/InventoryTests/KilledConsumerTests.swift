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
            let consumers = try await Consumers.start(stage)
            let run: RunID
            do {
                run = try await consumers.begin(type)
                let kills = try await consumers.killAtRandom(
                    run, times: 3, most: type == .inventorySync ? 2_500 : 6)
                #expect(kills > 0)
                let counts = try await consumers.ended(run)
                let all =
                    type == .inventorySync ? Self.devices + ProviderStage.fewCount : ProviderStage.fewCount
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

/// Consumers as processes, one after the other, with a starter's relay and maintenance in this one.
private final class Consumers {
    private let stage: ProviderStage
    private let virtualHost: VirtualHost
    private let publisher: Publisher
    private let relay: OutboxRelay
    private let tasks: [Task<Void, Never>]
    private var process = Process()

    static func start(_ stage: ProviderStage) async throws -> Consumers {
        let consumers = try Consumers(stage, try await VirtualHost.make())
        try consumers.launch()
        return consumers
    }

    private init(_ stage: ProviderStage, _ virtualHost: VirtualHost) throws {
        self.stage = stage
        self.virtualHost = virtualHost
        let publisher = Publisher(
            address: try BrokerAddress(url: virtualHost.url), topology: JobTopology.starter,
            name: "test-starter",
            logger: TestDatabase.quiet)
        let relay = OutboxRelay(
            store: OutboxStore(pool: stage.database.pool, leaseSeconds: 5), publisher: publisher,
            routes: OutboxRelay.allRoutes, logger: TestDatabase.quiet)
        let maintenance = Maintenance(
            repair: RunRepair(pool: stage.database.pool, outboxLeaseSeconds: 5), reminderSeconds: 10,
            publish: relay.publish, logger: TestDatabase.quiet)
        self.publisher = publisher
        self.relay = relay
        tasks = [
            Task { await publisher.run() }, Task { await relay.run() }, Task { await maintenance.run() },
        ]
    }

    private func launch() throws {
        let folder =
            ProcessInfo.processInfo.environment["BIN"].map { URL(filePath: $0) }
            ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        process = Process()
        process.executableURL = folder.appending(path: "InventoryConsumer")
        process.environment = [
            "DATABASE_URL": stage.database.url, "AMQP_URL": virtualHost.url,
            "CREDENTIAL_PRIVATE_KEY": stage.privateKey.text, "GRAPH_SANDBOX_URL": stage.sandbox.base,
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "WORKER_LEASE_SECONDS": "1", "CALL_SECONDS": "3",
            "LOG_LEVEL": "error",
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    func begin(_ type: OperationType) async throws -> RunID {
        let starts = StartService(
            pool: stage.database.pool, families: [.inventory], outboxLeaseSeconds: 5, makeID: { UUID() })
        let answer = try await starts.start(
            StartRequest(
                operation: type.rawValue, connectionID: stage.world.connection,
                initiatorID: stage.world.operator, origin: .person))
        guard case .accepted(let run, let message) = answer else {
            throw NotInTime(description: "the start was not accepted: \(answer)")
        }
        relay.publish([message])
        return run.execution.runID
    }

    /// Kills the consumer when it has recorded up to `most` entries more, and starts another; as often as the run is
    /// not over before.
    func killAtRandom(_ run: RunID, times: Int, most: Int) async throws -> Int {
        var done = 0
        for kill in 0..<times {
            let target = done + Int.random(in: 1...most)
            let isOver = try await eventually("the run gets on", within: .seconds(60)) { () -> Bool? in
                let row = try await stage.database.pool.query(
                    """
                    SELECT r.completed_at IS NOT NULL, coalesce(p.done, 0)
                    FROM runs r LEFT JOIN run_progress p ON p.run_id = r.id WHERE r.id = $1::uuid
                    """, [.uuid(run.uuid)])[0]
                done = try row.int(1)
                return try row.bool(0) ? true : done >= target ? false : nil
            }
            if isOver { return kill }
            Foundation.kill(process.processIdentifier, SIGKILL)
            try launch()
        }
        return times
    }

    /// Waits for the end: applied, total, gone and failed.
    func ended(_ run: RunID) async throws -> [Int] {
        try await eventually("the run ends", within: .seconds(90)) {
            let row = try await stage.database.pool.query(
                "SELECT outcome, counts::text FROM runs WHERE id = $1::uuid", [.uuid(run.uuid)])[0]
            guard try row.textOrNil(0) == RunOutcome.succeeded.rawValue else { return nil }
            let counts = try JSON(parsing: try row.text(1))
            return ["applied", "total", "gone", "failed"].map { counts[$0]?.integer ?? 0 }
        }
    }

    func stop() async {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        for task in tasks.dropFirst() {
            task.cancel()
            await task.value
        }
        tasks[0].cancel()
        await publisher.close()
        await virtualHost.remove()
    }
}
