import AMQP
import Fixtures
import Foundation
import JobRuntime
import Operations
import Postgres
import Store
import Testing
import Waiting

/// What lies in the dead-letter queues of a real broker, and how it gets into the database and out of the queues.
@Suite(.serialized) struct DeadLetterWatchTests {
    private static let dead = "jobs.provider.dead"

    /// Runs as many watches as an installation with so many starters has.
    private func watching(
        _ stage: Stage, count: Int = 1, _ body: () async throws -> Void
    ) async throws {
        let watches = (0..<count).map { number in
            Task {
                await DeadLetterWatch(
                    mirror: DeadLetterMirror(pool: stage.database.pool),
                    records: DeadLetterRecords(pool: stage.database.pool),
                    box: DeadLetterBox(address: stage.address, name: "test-watch-\(number)"),
                    publisher: stage.publisher, logger: stage.logger
                ).run()
            }
        }
        defer { for watch in watches { watch.cancel() } }
        try await body()
        for watch in watches {
            watch.cancel()
            await watch.value
        }
    }

    /// A run that is blocked: its message is refused for good. And one that nobody wrote whom we know.
    private func twoDie(_ stage: Stage, forged: String = "forged") async throws -> RunID {
        guard case .accepted(let run, _) = try await stage.start() else {
            throw NotInTime(description: "a start")
        }
        _ = try await stage.changes.apply(
            .revokeMembership(user: stage.world.operator, tenant: nil), in: stage.world.workspace,
            by: .user(stage.world.owner))
        let message = OutgoingMessage(
            exchange: "", routingKey: "jobs.provider", id: "id-\(forged)", type: "type-\(forged)",
            body: Array(forged.utf8))
        #expect(await stage.publisher.publish([message])[0].isConfirmed)
        try await stage.consuming({ _ in .completed(SummaryCounts()) }) { _ in
            #expect(try await stage.ended(run.execution.runID).outcome == "blocked")
            try await eventually("both are dead") {
                try await stage.virtualHost.messages(in: Self.dead).ready == 2
            }
        }
        return run.execution.runID
    }

    private func wish(_ stage: Stage, _ run: RunID, _ wish: DeadLetterWish, note: String? = nil) async throws
    {
        let reading = DeadLetterReading(pool: stage.database.pool)
        let page = try await reading.list(
            in: stage.world.workspace, on: stage.world.tenants, before: nil, limit: 10)
        let letter = try #require(page.entries.first { $0.run == run })
        try await reading.wish(
            wish, for: letter.id, note: note, in: stage.world.workspace, by: stage.world.owner)
    }

    private func seen(_ stage: Stage, _ count: Int) async throws {
        try await eventually("\(count) are seen") {
            try await stage.count("SELECT count(*) FROM dead_letters WHERE missed_at IS NULL") == count
        }
    }

    /// So many lie in the queue, and nobody holds one. The broker's figures follow a little later.
    private func lies(_ stage: Stage, _ count: Int, in queue: String) async throws {
        try await eventually("\(count) lie in \(queue)") {
            try await stage.virtualHost.messages(in: queue) == (count, 0)
        }
    }

    private func audited(_ stage: Stage, _ action: String) async throws -> [(actor: UUID?, details: String)] {
        try await stage.database.pool.query(
            "SELECT actor_id, details::text FROM audit WHERE action = $1 ORDER BY id", [.text(action)]
        ).map { (try $0.uuidOrNil(0), try $0.text(1)) }
    }

    @Test func whatDiesIsSeenWithoutWhatItSays() async throws {
        try await Stage.with { stage in
            let secret = "Abcdefgh1234567890Abcdefgh"
            let run = try await twoDie(stage, forged: secret)
            try await watching(stage) {
                try await seen(stage, 2)
                let page = try await DeadLetterReading(pool: stage.database.pool).list(
                    in: stage.world.workspace, on: stage.world.tenants, before: nil, limit: 10)
                let letter = try #require(page.entries.first)
                #expect(page.entries.count == 1 && letter.run == run && letter.queue == "jobs.provider")
                #expect(letter.reason == "rejected" && letter.type == JobMessage.type)
                #expect(abs(try #require(letter.diedAt).timeIntervalSinceNow) < 60)
                let overview = try await DeadLetterReading(pool: stage.database.pool).overview()
                #expect(overview.unnamed == 1 && overview.behind == 0)
                let rows = try await stage.database.pool.query("SELECT l::text FROM dead_letters l")
                #expect(try !rows.contains { try $0.text(0).contains(secret) }, "a secret is kept")
            }
            try await lies(stage, 2, in: Self.dead)
        }
    }

    @Test func whatSomebodyWantsBackIsPutBackOnce() async throws {
        try await Stage.with { stage in
            let run = try await twoDie(stage)
            try await watching(stage, count: 3) {
                try await seen(stage, 2)
                try await wish(stage, run, .redrive)
                try await seen(stage, 1)
                try await eventually("it is in its queue") {
                    try await stage.virtualHost.messages(in: "jobs.provider").ready == 1
                }
            }
            let audit = try await audited(stage, "dead_letter.redriven")
            #expect(audit.count == 1 && audit[0].actor == stage.world.owner.uuid)
            try await lies(stage, 1, in: Self.dead)
            try await lies(stage, 1, in: "jobs.provider")
            // It is decided about like any other: the run has ended, and nothing happens.
            try await stage.consuming({ _ in
                Issue.record("it was executed")
                return .completed(SummaryCounts())
            }) { _ in
                try await eventually("it is taken") {
                    try await stage.virtualHost.messages(in: "jobs.provider") == (0, 0)
                }
            }
            try await lies(stage, 1, in: Self.dead)
        }
    }

    @Test func whatSomebodyDropsIsGoneAndNoted() async throws {
        try await Stage.with { stage in
            let run = try await twoDie(stage)
            try await watching(stage) {
                try await seen(stage, 2)
                try await wish(stage, run, .drop, note: "forged, T-4711")
                try await seen(stage, 1)
            }
            let audit = try await audited(stage, "dead_letter.dropped")
            #expect(audit.count == 1 && audit[0].actor == stage.world.owner.uuid)
            #expect(audit[0].details.contains("forged, T-4711"))
            try await lies(stage, 1, in: Self.dead)
            try await lies(stage, 0, in: "jobs.provider")
        }
    }

    /// A wish outlives that somebody else has the messages in their hands.
    @Test func whatSomebodyElseHoldsIsNotForgotten() async throws {
        try await Stage.with { stage in
            let run = try await twoDie(stage)
            try await watching(stage) {
                try await seen(stage, 2)
                let reader = QueueReader(
                    address: stage.address, topology: JobTopology.starter, queue: Self.dead,
                    bodyLimit: 1_000, name: "somebody")
                #expect(try await reader.take(limit: 1_000).messages.count == 2)
                try await wish(stage, run, .redrive)
                try await seen(stage, 0)
                #expect(try await audited(stage, "dead_letter.redriven").isEmpty)
                await reader.close()
                try await seen(stage, 1)
                #expect(try await audited(stage, "dead_letter.redriven").count == 1)
            }
        }
    }

    /// What the broker does not take stays, and the person reads so.
    @Test func whatCanNotBePutBackSaysSo() async throws {
        try await Stage.with { stage in
            let run = try await twoDie(stage)
            let astray = Publisher(
                address: stage.address, topology: JobTopology.starter, name: "test-closed",
                logger: stage.logger)
            await astray.close()
            let watch = Task {
                await DeadLetterWatch(
                    mirror: DeadLetterMirror(pool: stage.database.pool),
                    records: DeadLetterRecords(pool: stage.database.pool),
                    box: DeadLetterBox(address: stage.address, name: "test-watch"), publisher: astray,
                    logger: stage.logger
                ).run()
            }
            defer { watch.cancel() }
            try await seen(stage, 2)
            try await wish(stage, run, .redrive)
            try await eventually("the trouble is told") {
                try await stage.count(
                    "SELECT count(*) FROM dead_letters WHERE trouble IS NOT NULL AND wish IS NULL") == 1
            }
            #expect(try await audited(stage, "dead_letter.redriven").isEmpty)
            watch.cancel()
            await watch.value
            try await lies(stage, 2, in: Self.dead)
        }
    }

    /// Whoever publishes straight into the queue writes what else the broker would note, too.
    @Test func aForgedDeathHarmsNobody() async throws {
        try await Stage.with { stage in
            let seconds: [Double] = [Double(UInt64.max), 253_402_300_800, 1_700_000_000]
            let messages = seconds.enumerated().map { number, second in
                OutgoingMessage(
                    exchange: "", routingKey: Self.dead, id: "m\(number)",
                    headers: [
                        "x-death": .array([
                            .table([
                                "reason": .string(String(repeating: "<b>", count: 100)),
                                "time": .timestamp(Date(timeIntervalSince1970: second)),
                            ])
                        ])
                    ], body: [UInt8(number)])
            }
            for outcome in await stage.publisher.publish(messages) { #expect(outcome.isConfirmed) }
            try await watching(stage) {
                try await seen(stage, 3)
                #expect(
                    try await stage.count("SELECT count(*) FROM dead_letters WHERE died_at IS NOT NULL") == 1)
                #expect(try await stage.count("SELECT max(length(reason)) FROM dead_letters") <= 100)
            }
        }
    }
}
