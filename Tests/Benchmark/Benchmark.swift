import Waiting
import ServiceKit
import AMQP
import Crypto
import Curl
import Fixtures
import Foundation
import JSON
import JobRuntime
import Logging
import Operations
import Postgres
import Store

/// The parts of `scripts/bench` that need the system's own modules. Each prints one JSON object.
///
///     Benchmark seed CONNECTIONS     fills an empty database; prints the connections and a person's token
///     Benchmark enqueue COUNT        starts runs through the store and publishes their jobs
///     Benchmark paced RATE SECONDS   starts runs through the HTTP API at a steady rate
///     Benchmark wait                 waits until no run is active; prints what the runs' own times say
///
/// `DATABASE_URL`, `AMQP_URL`, `STARTER_URL` name the stack; `BENCH_WORLD` the file with what `seed` printed.
@main
enum Benchmark {
    static func main() async throws {
        var words = CommandLine.arguments.dropFirst()
        let command = words.popFirst() ?? ""
        let numbers = words.compactMap { Int($0) }
        let pool = PostgresPool(
            PostgresConfiguration(url: try variable("DATABASE_URL")), logger: TestDatabase.quiet)
        let answer: JSON
        switch (command, numbers.count) {
        case ("seed", 1): answer = try await seed(pool, connections: numbers[0])
        case ("enqueue", 1): answer = try await enqueue(pool, count: numbers[0])
        case ("paced", 2): answer = try await paced(rate: numbers[0], seconds: numbers[1])
        case ("wait", 0): answer = try await wait(pool)
        default: throw Usage()
        }
        await pool.close()
        print(answer.text)
    }

    struct Usage: Error, CustomStringConvertible {
        let description = "usage: Benchmark seed N | enqueue N | paced RATE SECONDS | wait"
    }

    private static func variable(_ name: String) throws -> String { try TestDatabase.environment(name) }

    // MARK: seed

    private static func seed(_ pool: PostgresPool, connections count: Int) async throws -> JSON {
        let world = try await World.make(in: pool, tenants: count)
        let token = "ta_" + Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64URL
        _ = try await pool.query(
            """
            INSERT INTO api_tokens (id, workspace_id, user_id, label, token_hash, expires_at)
            VALUES (gen_random_uuid(), $1::uuid, $2::uuid, 'bench', $3::bytea, now() + interval '1 day')
            """,
            [
                .uuid(world.workspace.uuid), .uuid(world.operator.uuid),
                .bytes(Array(SHA256.hash(data: Data(token.utf8)))),
            ])
        return [
            "token": .string(token), "user": .string("\(world.operator)"),
            "connections": .array(world.connections.map { .string("\($0)") }),
        ]
    }

    private struct Seeded {
        let token: String
        let user: UserID
        let connections: [ConnectionID]

        init() throws {
            let json = try JSON(parsing: String(contentsOfFile: variable("BENCH_WORLD"), encoding: .utf8))
            token = json["token"]!.string!
            user = UserID(json["user"]!.string!)!
            connections = json["connections"]!.array!.map { ConnectionID($0.string!)! }
        }
    }

    // MARK: enqueue

    private static func enqueue(_ pool: PostgresPool, count: Int) async throws -> JSON {
        let seeded = try Seeded()
        precondition(count <= seeded.connections.count, "one active run per connection")
        let starts = StartService(
            pool: pool, families: [.provider], outboxLeaseSeconds: 300, makeID: UUID.timeOrdered)
        let publisher = Publisher(
            address: try BrokerAddress(url: variable("AMQP_URL")), topology: JobTopology.starter,
            name: "bench", logger: TestDatabase.quiet)
        let store = OutboxStore(pool: pool, leaseSeconds: 300)
        let relay = OutboxRelay(store: store, publisher: publisher, routes: [], logger: TestDatabase.quiet)
        let tasks = [Task { await publisher.run() }, Task { await relay.run() }]
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, connection) in seeded.connections.prefix(count).enumerated() {
                if index >= 400 { try await group.next() }
                group.addTask {
                    let answer = try await starts.start(
                        StartRequest(
                            operation: OperationType.connectionCheck.rawValue, connectionID: connection,
                            initiatorID: seeded.user, origin: .person))
                    guard case .accepted(_, let message) = answer else {
                        throw NotInTime(description: "not accepted: \(answer)")
                    }
                    relay.publish([message])
                }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - began).seconds
        _ = try await eventually("all jobs are published") {
            try await pool.query("SELECT count(*) FROM outbox")[0].int(0) == 0 ? true : nil
        }
        tasks[1].cancel()
        await publisher.close()
        return ["count": .int(count), "per_second": .number((Double(count) / seconds).rounded())]
    }

    // MARK: paced

    private static func paced(rate: Int, seconds: Int) async throws -> JSON {
        let seeded = try Seeded()
        let client = CurlClient(userAgent: "bench", maxConnectionsPerHost: 64)
        let url = try variable("STARTER_URL") + "/v1/runs"
        let began = ContinuousClock.now
        let accepted = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<(rate * seconds) {
                try await Task.sleep(until: began + .seconds(Double(index) / Double(rate)))
                let connection = seeded.connections[index % seeded.connections.count]
                group.addTask {
                    let body: JSON = [
                        "operation": "provider.connection.check",
                        "provider_connection_id": .string("\(connection)"),
                    ]
                    let response = try await client.perform(
                        HTTPRequest(
                            method: "POST", url: url,
                            headers: [
                                ("Authorization", "Bearer \(seeded.token)"),
                                ("Content-Type", "application/json"),
                            ], body: body.bytes))
                    return response.status == 202 ? 1 : 0
                }
            }
            return try await group.reduce(0, +)
        }
        await client.close()
        return ["asked": .int(rate * seconds), "accepted": .int(accepted)]
    }

    // MARK: wait

    private static let figures: Postgres.Statement = """
        SELECT count(*) AS count,
               extract(epoch FROM max(completed_at) - min(started_at))::float8 AS drain_seconds,
               extract(epoch FROM max(completed_at) - min(queued_at))::float8 AS whole_seconds,
               1000 * percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - queued_at))::float8 AS p50,
               1000 * percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM completed_at - queued_at))::float8 AS p99
        FROM runs WHERE outcome = 'succeeded'
        """

    private static func wait(_ pool: PostgresPool) async throws -> JSON {
        _ = try await eventually("all runs end", within: .seconds(300)) {
            try await pool.query("SELECT NOT EXISTS (SELECT FROM runs WHERE completed_at IS NULL)")[0].bool(0)
                ? true : nil
        }
        let row = try await pool.query(figures)[0]
        let count = try row.int("count")
        return [
            "count": .int(count),
            "drain_per_second": .number((Double(count) / (try row.double("drain_seconds"))).rounded()),
            "whole_per_second": .number((Double(count) / (try row.double("whole_seconds"))).rounded()),
            "p50_ms": .number((try row.double("p50") * 100).rounded() / 100),
            "p99_ms": .number((try row.double("p99") * 100).rounded() / 100),
        ]
    }
}

extension Data {
    fileprivate var base64URL: String {
        base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
