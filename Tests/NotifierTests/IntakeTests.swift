import Waiting
import AMQP
import Curl
import Fixtures
import FoundationEssentials
import JobRuntime
import Operations
import Postgres
import Store
import Testing

@testable import Notifier

@Suite("Events become notifications, on a real broker and database", .serialized)
struct IntakeTests {
    @Test func `the initiator is told once, in words`() async throws {
        try await Scene.with { scene in
            let run = try await scene.run(
                outcome: .blocked, reason: .denial(.tenantNotEntitled), initiator: scene.world.operator)
            try await scene.notifying { notifier in
                try await scene.publish(scene.event(of: run))
                let rows = try await eventually("a notification") {
                    let rows = try await scene.rows()
                    return rows.isEmpty ? nil : rows
                }
                #expect(
                    rows == [
                        Scene.Row(
                            run: run, channel: "inbox", user: scene.world.operator,
                            title: "Connection check of Tenant 1 was blocked",
                            body: "The person who started this no longer has access to the tenant. "
                                + "A manager of the workspace can give access; then start it again.",
                            isDue: false, isDelivered: false, isGivenUp: false)
                    ])
                // Counted when it is committed, which is when the row is there, and a moment later.
                let recorded = #"tenantatlas_notifications_total{channel="inbox",result="recorded"}"#
                _ = try await eventually("it is counted") { notifier.figure(recorded) == 1 ? true : nil }
            }
            #expect(try await scene.remaining().isEmpty)
        }
    }

    @Test func `events as the system itself writes them are borne out`() async throws {
        try await Scene.with(tenants: 3) { scene in
            let written = try await History(scene: scene).endThreeRuns()
            #expect(written.map(\.outcome) == [.succeeded, .blocked, .cancelled])
            try await scene.notifying { notifier in
                try await scene.publish(written.map(\.body))
                _ = try await eventually("three are told") { notifier.received("recorded") == 3 ? true : nil }
                #expect(
                    try await Set(scene.rows().map(\.title)) == [
                        "Connection check of Tenant 1 succeeded", "Connection check of Tenant 2 was blocked",
                        "Connection check of Tenant 3 was cancelled",
                    ])
                #expect(notifier.received("forged") == 0)
            }
        }
    }

    @Test func `three of every event and two notifiers: each run is told once, and nothing is left`()
        async throws
    {
        try await Scene.with { scene in
            let runs = try await withThrowingTaskGroup { group in
                for _ in 0..<150 { group.addTask { try await scene.run(initiator: scene.world.operator) } }
                return try await group.reduce(into: [RunID]()) { $0.append($1) }
            }
            let events = try await Notifications(pool: scene.pool).endedRuns(Set(runs))
            let bodies = events.values.map(\.event.body)
            try await scene.notifying { one in
                try await scene.notifying { other in
                    try await scene.publish((bodies + bodies + bodies).shuffled())
                    _ = try await eventually("all are received") {
                        let all = [one, other].map { $0.received("recorded") + $0.received("duplicate") }
                        return all.reduce(0, +) == 450 ? true : nil
                    }
                    #expect(one.received("recorded") + other.received("recorded") == 150)
                }
            }
            #expect(try await scene.rows().map(\.run).count == 150)
            #expect(try await Set(scene.rows().map(\.run)) == Set(runs))
            #expect(try await scene.remaining().isEmpty)
        }
    }

    @Test func `the connection is lost between the insert and the ack: no second row`() async throws {
        try await Scene.with { scene in
            let run = try await scene.run(initiator: scene.world.operator)
            try await scene.publish(scene.event(of: run))
            let client = CurlClient(userAgent: "test")
            let first = scene.make(Scene.Options(), client)
            let consumer = scene.bareConsumer()
            let running = Task { await consumer.run() }
            let bursts = consumer.bursts.makeAsyncIterator()
            let burst = try #require(await bursts.next())
            let verdict = await first.recorder.record(burst)
            #expect(verdict.done == burst.map(\.tag))
            #expect(try await scene.rows().count == 1)
            // Gone before a settlement.
            await consumer.close()
            await running.value
            try await scene.notifying { notifier in
                _ = try await eventually("it comes again") {
                    notifier.received("duplicate") == 1 ? true : nil
                }
                #expect(notifier.received("recorded") == 0)
            }
            #expect(try await scene.rows().map(\.run) == [run])
            #expect(try await scene.remaining().isEmpty)
            await client.close()
        }
    }

    @Test func `what no ended run bears out tells nobody and lies in the dead letters`() async throws {
        try await Scene.with(tenants: 2) { scene in
            let (world, pool) = (scene.world, scene.pool)
            let ended = try await scene.run(initiator: world.operator)
            let running = try await scene.run(state: .running, initiator: world.operator)
            let system = try await scene.run(initiator: nil)
            let genuine = try await scene.event(of: ended)
            var otherRecipient = genuine
            otherRecipient.initiatorID = world.stranger
            var noRecipient = genuine
            noRecipient.initiatorID = nil
            var otherTenant = genuine
            otherTenant.tenantID = world.tenants[1]
            var otherOutcome = genuine
            otherOutcome.outcome = .failed
            var otherOperation = genuine
            otherOperation.operation = OperationType.backupRun.rawValue
            var addressed = try await scene.event(of: system)
            addressed.initiatorID = world.operator
            let forged = [
                otherRecipient, noRecipient, otherTenant, otherOutcome, otherOperation, addressed,
                scene.invented(RunID(UUID()), initiator: world.operator),
                scene.invented(running, initiator: world.operator),
            ].map(\.body)
            let unreadable = [
                [], Array("no event".utf8), Array(#"{"type":"com.tenantatlas.run.completed.v1"}"#.utf8),
                genuine.body + Array(repeating: UInt8(ascii: " "), count: TerminalEvent.byteLimit),
            ]
            try await scene.notifying { notifier in
                try await scene.publish(forged + unreadable)
                let dead = try await scene.deadLetters(forged.count + unreadable.count)
                #expect(Set(dead.map(text)) == Set((forged + unreadable).map(text)))
                #expect(notifier.received("forged") == forged.count)
                #expect(notifier.received("unreadable") == unreadable.count)
                #expect(try await scene.rows().isEmpty)
                // The genuine one is told all the same.
                try await scene.publish(genuine)
                _ = try await eventually("the genuine one is told") {
                    notifier.received("recorded") == 1 ? true : nil
                }
                #expect(try await scene.rows().map(\.user) == [world.operator])
            }
            let states = try await pool.query(
                "SELECT state FROM runs WHERE id = $1::uuid", [.uuid(running.uuid)])
            #expect(try states[0].text(0) == "running")
        }
    }

    @Test func `reason and numbers come from the row, whatever the event says`() async throws {
        try await Scene.with { scene in
            let run = try await scene.run(
                outcome: .failed, reason: .failure(.consentMissing), initiator: scene.world.operator,
                counts: #"{"total": 3, "failed": 3}"#)
            var event = try await scene.event(of: run)
            event.reason = .failure(.internalError)
            event.counts = SummaryCounts()
            event.counts[.total] = 999
            try await scene.notifying { notifier in
                try await scene.publish(event)
                _ = try await eventually("it is told") { notifier.received("recorded") == 1 ? true : nil }
                #expect(
                    try await scene.rows().map(\.body) == [
                        "Admin consent for the application is missing in the tenant. "
                            + "An administrator of the tenant can grant it in Entra; then start it again. "
                            + "In numbers: total 3, failed 3."
                    ])
                let stored = try await scene.pool.query(
                    "SELECT event->'data'->'counts' AS c FROM notifications")
                #expect(try stored[0].json("c").contains("999") == false)
            }
        }
    }

    @Test func `a run of the system is told to nobody`() async throws {
        try await Scene.with { scene in
            let run = try await scene.run(initiator: nil)
            try await scene.notifying { notifier in
                try await scene.publish(scene.event(of: run))
                _ = try await eventually("it is received") { notifier.received("nobody") == 1 ? true : nil }
            }
            #expect(try await scene.rows().isEmpty)
            #expect(try await scene.remaining().isEmpty)
        }
    }

    @Test func `one event that the database refuses does not hold up the others`() async throws {
        try await Scene.with(tenants: 2) { scene in
            _ = try await scene.pool.query(
                "ALTER TABLE notifications ADD CHECK (title NOT LIKE '%Tenant 2%')")
            var events: [TerminalEvent] = []
            for index in 0..<9 {
                let run = try await scene.run(initiator: scene.world.operator, tenant: index == 4 ? 1 : 0)
                events.append(try await scene.event(of: run))
            }
            try await scene.notifying { notifier in
                try await scene.publish(events.map(\.body))
                #expect(try await scene.deadLetters(1) == [events[4].body])
                _ = try await eventually("the others are told") {
                    notifier.received("recorded") == 8 ? true : nil
                }
            }
            #expect(try await scene.remaining().isEmpty)
        }
    }

    @Test func `the database is in trouble: events are kept, and told when it is well again`() async throws {
        try await Scene.with { scene in
            let run = try await scene.run(initiator: scene.world.operator)
            let event = try await scene.event(of: run)
            _ = try await scene.pool.query("ALTER TABLE notifications RENAME TO hidden")
            try await scene.notifying { notifier in
                try await scene.publish(event)
                try await scene.waitForAbsentTable()
                #expect(notifier.received("recorded") + notifier.received("refused") == 0)
                _ = try await scene.pool.query("ALTER TABLE hidden RENAME TO notifications")
                _ = try await eventually("it is told") { notifier.received("recorded") == 1 ? true : nil }
            }
            #expect(try await scene.rows().map(\.run) == [run])
            #expect(try await scene.remaining().isEmpty)
        }
    }

    @Test(arguments: [Duration.zero, Intake.keepLimit])
    func `trouble at the end: events go back, and the next notifier tells them`(keepLimit: Duration)
        async throws
    {
        try await Scene.with { scene in
            let run = try await scene.run(initiator: scene.world.operator)
            let event = try await scene.event(of: run)
            _ = try await scene.pool.query("ALTER TABLE notifications RENAME TO hidden")
            var options = Scene.Options()
            options.keepLimit = keepLimit
            try await scene.notifying(options) { _ in
                try await scene.publish(event)
                try await scene.waitForAbsentTable()
            }
            _ = try await scene.pool.query("ALTER TABLE hidden RENAME TO notifications")
            #expect(try await scene.rows().isEmpty)
            try await scene.notifying { notifier in
                _ = try await eventually("it is told") { notifier.received("recorded") == 1 ? true : nil }
            }
            #expect(try await scene.rows().map(\.run) == [run])
        }
    }
}

/// A body in a form that a failed expectation can show.
private func text(_ body: [UInt8]) -> String { String(decoding: body, as: UTF8.self) }

extension Scene {
    /// Waits until somebody has asked for the ended runs while `notifications` is away: from then a notifier
    /// that gave an event up would have done so.
    func waitForAbsentTable() async throws {
        let before = try await rollbacks()
        _ = try await eventually("two transactions fail") { try await rollbacks() >= before + 2 ? true : nil }
    }

    private func rollbacks() async throws -> Int {
        try await pool.query("SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()")[
            0
        ]
        .int(0)
    }
}
