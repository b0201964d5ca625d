import Waiting
import AMQP
import Fixtures
import Foundation
import JSON
import JobRuntime
import Operations
import Postgres
import Testing

@testable import Atlas

/// Dead letters, on a real broker and database.
@Suite(.serialized) struct DeadLetterCommandTests {
    /// A virtual host with the system's queues, and a database with one run.
    struct Place: Sendable {
        let database: TestDatabase
        let world: World
        let vhost: VirtualHost
        let publisher: Publisher
        let run: RunID

        var atlas: AtlasProcess {
            AtlasProcess(environment: ["DATABASE_URL": database.url, "AMQP_URL": vhost.url])
        }
        var address: BrokerAddress { get throws { try BrokerAddress(url: vhost.url) } }

        static func with(_ body: (Place) async throws -> Void) async throws {
            let vhost = try await VirtualHost.make()
            do {
                try await TestDatabase.with { database in
                    let world = try await World.make(in: database.pool)
                    let run = RunID(UUID())
                    _ = try await database.pool.query(
                        """
                        INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, attempt,
                                          context, queued_at, expires_at)
                        VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, 'backup.run', 'queued', 1, '{}', now(), now())
                        """,
                        [
                            .uuid(run.uuid), .uuid(world.workspace.uuid), .uuid(world.tenant.uuid),
                            .uuid(world.connection.uuid),
                        ])
                    let publisher = Publisher(
                        address: try BrokerAddress(url: vhost.url), topology: JobTopology.starter,
                        name: "test",
                        logger: TestDatabase.quiet)
                    let running = Task { await publisher.run() }
                    try await body(
                        Place(database: database, world: world, vhost: vhost, publisher: publisher, run: run))
                    await publisher.close()
                    await running.value
                }
                await vhost.remove()
            } catch {
                await vhost.remove()
                throw error
            }
        }

        /// Publishes to the queue and refuses each message as its consumer would, so that the broker moves them.
        func kill(_ bodies: [[UInt8]], of queue: String = "jobs.inventory") async throws {
            let messages = bodies.enumerated().map { index, body in
                OutgoingMessage(
                    exchange: "", routingKey: queue, id: "m\(index)", type: JobMessage.type,
                    correlationID: "c", body: body)
            }
            let before = try await waiting(JobTopology.deadLetters(of: queue))
            let outcomes = await publisher.publish(messages, timeout: .seconds(30))
            for outcome in outcomes { try #require(outcome.isConfirmed) }
            let consumer = Consumer(
                address: try address, topology: JobTopology.starter, queue: queue, prefetch: 1, name: "test",
                logger: TestDatabase.quiet)
            let running = Task { await consumer.run() }
            var missing = bodies.count
            for await burst in consumer.bursts {
                consumer.nack(burst.map(\.tag), requeue: false)
                missing -= burst.count
                if missing <= 0 { break }
            }
            await consumer.close()
            await running.value
            _ = try await eventually("they are dead") {
                try await waiting(JobTopology.deadLetters(of: queue)) == before + bodies.count ? true : nil
            }
        }

        func waiting(_ queue: String) async throws -> Int {
            let reader = QueueReader(
                address: try address, topology: JobTopology.starter, queue: queue, bodyLimit: 10, name: "test"
            )
            let left = try await reader.take(limit: 1_000).total
            await reader.close()
            return left
        }

        /// What lies in a queue, in order, and its headers.
        func contents(_ queue: String) async throws -> [Delivery] {
            let reader = QueueReader(
                address: try address, topology: JobTopology.starter, queue: queue, bodyLimit: 1 << 20,
                name: "test")
            let all = try await reader.take(limit: 1_000).messages
            await reader.close()
            return all
        }

        func audited() async throws -> [(action: String, run: UUID?, workspace: UUID, details: JSON)] {
            try await database.pool.query(
                "SELECT action, run_id, workspace_id, details FROM audit WHERE action LIKE 'dead_letter.%' ORDER BY id"
            ).map { row in
                (
                    try row.text("action"), try row.uuidOrNil("run_id"), try row.uuid("workspace_id"),
                    try JSON(parsing: row.bytes("details"))
                )
            }
        }
    }

    private func text(_ delivery: Delivery) -> String { String(decoding: delivery.body, as: UTF8.self) }

    private func ids(_ place: Place) async throws -> [String] {
        let list = try await place.atlas.run("dead-letters", "list", "--json")
        #expect(list.status == 0, "\(list.errors)")
        return (try list.json["dead_letters"]?.array ?? []).compactMap { $0["id"]?.string }
    }

    @Test func lookingChangesNothing() async throws {
        try await Place.with { place in
            let job = JobMessage(runID: place.run, attempt: 1).body(traceparent: nil)
            try await place.kill([job, Array("\u{1B}[31mforged\u{7}".utf8), Array("third".utf8)])
            try await place.kill([Array(#"{"token":"abc"}"#.utf8)], of: "notifier.terminal")
            let first = try await ids(place)
            #expect(first.count == 4)
            #expect(Set(first).count == 4)
            for _ in 0..<3 { #expect(try await ids(place) == first) }

            let list = try await place.atlas.run("dead-letters", "list", "--queue", "jobs.inventory")
            #expect(list.output.contains("rejected"))
            #expect(list.output.contains("\(place.run)"))
            #expect(!list.output.contains("notifier.terminal"))
            let few = try await place.atlas.run(
                "dead-letters", "list", "--queue", "jobs.inventory", "--limit", "2")
            #expect(few.output.contains("There are 1 more of jobs.inventory."))
            let shown = try await place.atlas.run("dead-letters", "show", first[1])
            #expect(shown.output.hasSuffix("\n\\u{1b}[31mforged\\u{7}\n"), "\(shown.output)")
            #expect(!shown.output.contains("\u{1B}"))
            let masked = try await place.atlas.run("dead-letters", "show", first[3], "--json")
            #expect(try masked.json["body"]?.string == #"{"token":"•••"}"#)
            #expect(try masked.json["queue"]?.string == "notifier.terminal")
            #expect(try await place.atlas.run("dead-letters", "show", "0123456789abcdef").status == 1)

            let contents = try await place.contents("jobs.inventory.dead")
            #expect(contents.map(\.body) == [job, Array("\u{1B}[31mforged\u{7}".utf8), Array("third".utf8)])
            #expect(try await place.audited().isEmpty)
        }
    }

    @Test func whatIsPutBackIsAsItWasPublished() async throws {
        try await Place.with { place in
            let job = JobMessage(runID: place.run, attempt: 1).body(traceparent: nil)
            try await place.kill([Array("one".utf8), job, Array("three".utf8)])
            let before = try await ids(place)
            let done = try await place.atlas.run("dead-letters", "redrive", before[1])
            #expect(done.status == 0, "\(done.errors)")
            #expect(done.output == "redriven \(before[1]) of jobs.inventory\n")
            #expect(try await ids(place) == [before[0], before[2]])
            let back = try await place.contents("jobs.inventory")
            #expect(back.map(\.body) == [job])
            let message = try #require(back.first)
            #expect(message.properties.id == "m1")
            #expect(message.properties.type == JobMessage.type)
            #expect(message.properties.correlationID == "c")
            #expect(message.headers["x-death"] == nil, "its past would count against it")
            let audited = try await place.audited()
            #expect(audited.map(\.action) == ["dead_letter.redriven"])
            let entry = try #require(audited.first)
            #expect(entry.run == place.run.uuid)
            #expect(entry.workspace == place.world.workspace.uuid)
            #expect(entry.details["queue"]?.string == "jobs.inventory")
            #expect(entry.details["digest"]?.string?.hasPrefix(before[1]) == true)

            let all = try await place.atlas.run(
                "dead-letters", "redrive", "--all", "--queue", "jobs.inventory", "--json")
            #expect(try all.json["redriven"] == [.string(before[0]), .string(before[2])])
            #expect(try await ids(place) == [])
            #expect(try await place.contents("jobs.inventory").map(text) == [text(message), "one", "three"])
            let gone = try await place.atlas.run("dead-letters", "redrive", before[0])
            #expect(gone.status == 1)
            #expect(gone.errors.contains("There is no dead letter"))
        }
    }

    @Test func whatIsDroppedIsNoted() async throws {
        try await Place.with { place in
            try await place.kill([Array("one secret".utf8), Array("two".utf8), Array("three".utf8)])
            let before = try await ids(place)
            let arguments = ["dead-letters", "drop", before[0], before[2]]
            #expect(try await place.atlas.run(arguments).status == 2)
            #expect(try await place.atlas.run(arguments + ["--note", " "]).status == 2)
            let done = try await place.atlas.run(arguments + ["--note", "forged, T-4711"])
            #expect(done.status == 0, "\(done.errors)")
            #expect(try await ids(place) == [before[1]])
            #expect(try await place.contents("jobs.inventory").isEmpty)
            let audited = try await place.audited()
            #expect(audited.map(\.action) == ["dead_letter.dropped", "dead_letter.dropped"])
            let entry = try #require(audited.first)
            #expect(entry.details["note"]?.string == "forged, T-4711")
            #expect(entry.details["dead_because"]?.string == "rejected")
            #expect(entry.run == nil)
            #expect(!entry.details.text.contains("one secret"), "what it said is not kept")
        }
    }

    @Test func whatCanNotBeNotedOrPutBackStays() async throws {
        try await Place.with { place in
            try await place.kill([Array("one".utf8), Array("two".utf8)])
            let before = try await ids(place)
            _ = try await place.database.pool.query(
                "ALTER TABLE audit ADD CHECK (action <> 'dead_letter.dropped') NOT VALID")
            let refused = try await place.atlas.run("dead-letters", "drop", before[0], "--note", "x")
            #expect(refused.status == 1)
            #expect(try await ids(place) == before)
            var astray = place.atlas
            astray.environment["AMQP_URL"] = "amqp://127.0.0.1:1/"
            let away = try await astray.run("dead-letters", "list")
            #expect(away.status == 3)
            #expect(away.errors.contains("Check AMQP_URL"))
            let which = try await place.atlas.run("dead-letters", "redrive", "--all")
            #expect(which.status == 2)
            #expect(which.errors.contains("--all needs --queue"))
        }
    }
}
