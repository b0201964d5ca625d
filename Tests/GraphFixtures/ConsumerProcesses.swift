internal import Waiting
internal import AMQP
internal import Fixtures
internal import Foundation
package import JSON
internal import JobRuntime
package import Operations
internal import Postgres
internal import Sealing
internal import ServiceKit
internal import Store

/// Consumers as processes, one after the other, with a starter's relay and maintenance in this one.
package final class ConsumerProcesses {
    private let family: OperationFamily
    private let program: String
    private let environment: [String: String]
    private let stage: ProviderStage
    private let virtualHost: VirtualHost
    private let publisher: Publisher
    private let relay: OutboxRelay
    private let tasks: [Task<Void, Never>]
    private var process = Process()

    /// Starts the first one. `environment` is what the program needs beside what all consumers do.
    package static func start(
        _ family: OperationFamily, _ program: String, _ stage: ProviderStage,
        environment: [String: String] = [:]
    ) async throws -> ConsumerProcesses {
        let consumers = try ConsumerProcesses(
            family, program, stage, environment, try await VirtualHost.make())
        try consumers.launch()
        return consumers
    }

    private init(
        _ family: OperationFamily, _ program: String, _ stage: ProviderStage, _ environment: [String: String],
        _ virtualHost: VirtualHost
    ) throws {
        self.family = family
        self.program = program
        self.environment = environment
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
            publish: relay.publish, figures: RepairFigures(Metrics()), logger: TestDatabase.quiet)
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
        process.executableURL = folder.appending(path: program)
        process.environment = [
            "DATABASE_URL": stage.database.url, "AMQP_URL": virtualHost.url,
            "CREDENTIAL_PRIVATE_KEY": stage.privateKey.text, "GRAPH_SANDBOX_URL": stage.sandbox.base,
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "0", "WORKER_LEASE_SECONDS": "1", "CALL_SECONDS": "3",
            "LOG_LEVEL": "error",
        ].merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    /// Starts a run as a person does.
    package func begin(
        _ type: OperationType, _ parameters: JSON? = nil, by person: UserID
    ) async throws -> RunID {
        let starts = StartService(
            pool: stage.database.pool, families: [family], outboxLeaseSeconds: 5, makeID: { UUID() })
        let answer = try await starts.start(
            StartRequest(
                operation: type.rawValue, connectionID: stage.world.connection,
                parameters: parameters, initiatorID: person, origin: .person))
        guard case .accepted(let run, let message) = answer else {
            throw NotInTime(description: "the start was not accepted: \(answer)")
        }
        relay.publish([message])
        return run.execution.runID
    }

    /// Kills the consumer when it has recorded up to `most` entries more, and starts another; as often as the run is
    /// not over before.
    package func killAtRandom(_ run: RunID, times: Int, most: Int) async throws -> Int {
        var done = 0
        for kill in 0..<times {
            let target = done + Int.random(in: 1...most)
            let isOver = try await eventually("the run gets on") { () -> Bool? in
                let row = try await stage.database.pool.query(
                    """
                    SELECT r.completed_at IS NOT NULL, coalesce(p.done, 0)
                    FROM runs r LEFT JOIN run_progress p ON p.run_id = r.id WHERE r.id = $1::uuid
                    """, [.uuid(run.uuid)])[0]
                done = try row.int(1)
                return try row.bool(0) ? true : done >= target ? false : nil
            }
            if isOver { return kill }
            try killAndLaunch()
        }
        return times
    }

    /// Kills the consumer where it stands, and starts another.
    package func killAndLaunch() throws {
        Foundation.kill(process.processIdentifier, SIGKILL)
        try launch()
    }

    /// Waits for the end.
    package func ended(_ run: RunID) async throws -> (outcome: RunOutcome, counts: JSON) {
        try await eventually("the run ends", within: .seconds(90)) {
            let row = try await stage.database.pool.query(
                "SELECT outcome, counts::text FROM runs WHERE id = $1::uuid", [.uuid(run.uuid)])[0]
            guard let outcome = try row.textOrNil(0).flatMap(RunOutcome.init) else { return nil }
            return (outcome, try JSON(parsing: try row.text(1)))
        }
    }

    /// Ends everything.
    package func stop() async {
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
