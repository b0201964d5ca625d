import Waiting
import Curl
import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Notifier

@Suite("Webhooks, against a receiver of its own mind", .serialized)
struct WebhookTests {
    /// A scene whose operator has a webhook at `path`, and one ended run of theirs, which is told.
    private func told<R>(
        at path: String, _ options: Scene.Options = Scene.Options(), scheme: String = "http",
        _ body: (Scene, Receiver, RunID, RunningNotifier) async throws -> R
    ) async throws -> R {
        let receiver = try Receiver()
        return try await Scene.with { scene in
            try await scene.addWebhook(
                of: scene.world.operator, receiver.url(path, scheme: scheme), key: receiver.secret)
            let run = try await scene.run(
                outcome: .blocked, reason: .denial(.connectionDisabled), initiator: scene.world.operator)
            return try await scene.notifying(options) { notifier in
                try await scene.publish(scene.event(of: run))
                return try await body(scene, receiver, run, notifier)
            }
        }
    }

    /// Waits until the only webhook notification is as it should be.
    private func settled(
        _ scene: Scene, _ what: String, _ isSo: @Sendable (Scene.Row) -> Bool
    ) async throws {
        _ = try await eventually(what) {
            try await scene.rows(.webhook).first.map(isSo) == true ? true : nil
        }
    }

    @Test func `a signed request tells the receiver, once, beside the inbox`() async throws {
        try await told(at: "/hook?token=1") { scene, receiver, run, notifier in
            try await settled(scene, "delivered") { $0.isDelivered && !$0.isDue && !$0.isGivenUp }
            let seen = try await receiver.seen()
            #expect(seen.map(\.path) == ["/hook?token=1"])
            #expect(seen.map(\.id) == ["\(run)"])
            #expect(!seen.contains { !$0.isVerified })
            #expect(seen[0].contentType == "application/json")
            let body = try JSON(parsing: seen[0].body)
            #expect(body["type"] == "run.completed")
            #expect(body["timestamp"]?.string?.hasSuffix("Z") == true)
            #expect(body["data"]?["run_id"] == .string("\(run)"))
            #expect(body["data"]?["outcome"] == "blocked")
            #expect(body["data"]?["reason_code"] == "connection_disabled")
            #expect(body["data"]?["tenant_id"] == .string("\(scene.world.tenant)"))
            // Thin: no names, no person.
            #expect(!seen[0].body.contains("Tenant 1") && !seen[0].body.contains("\(scene.world.operator)"))
            #expect(seen[0].body.utf8.count < 20_000)
            #expect(try await scene.deliveries() == ["1 delivered 200"])
            #expect(try await scene.rows().map(\.channel) == ["inbox", "webhook"])
            #expect(
                notifier.figure(#"tenantatlas_notifications_total{channel="webhook",result="delivered"}"#)
                    == 1)
        }
    }

    @Test func `a failed try is repeated under the same id`() async throws {
        try await told(at: "/once-500") { scene, receiver, run, _ in
            try await settled(scene, "delivered") { $0.isDelivered }
            let seen = try await receiver.seen()
            #expect(seen.map(\.id) == ["\(run)", "\(run)"])
            #expect(!seen.contains { !$0.isVerified })
            #expect(seen[0].body == seen[1].body)
            #expect(try await scene.deliveries() == ["1 refused 500", "2 delivered 200"])
        }
    }

    @Test func `after the last try of the schedule it is given up`() async throws {
        try await told(at: "/status/500") { scene, receiver, _, _ in
            try await settled(scene, "given up") { $0.isGivenUp && !$0.isDue && !$0.isDelivered }
            #expect(try await receiver.seen().count == 3)
            #expect(try await scene.deliveries() == ["1 refused 500", "2 refused 500", "3 refused 500"])
        }
    }

    @Test func `a redirect is a refusal, and is not followed`() async throws {
        try await told(at: "/redirect") { scene, receiver, _, _ in
            try await settled(scene, "given up") { $0.isGivenUp }
            #expect(try await Set(receiver.seen().map(\.path)) == ["/redirect"])
            #expect(try await scene.deliveries().allSatisfy { $0.hasSuffix("refused 307") })
        }
    }

    @Test func `a receiver that does not answer in time is tried again`() async throws {
        var options = Scene.Options()
        options.timeout = .milliseconds(400)
        try await told(at: "/slow", options) { scene, _, _, _ in
            try await settled(scene, "given up") { $0.isGivenUp }
            #expect(try await scene.deliveries() == ["1 timeout", "2 timeout", "3 timeout"])
        }
    }

    @Test func `Retry-After is heeded`() async throws {
        try await told(at: "/later") { scene, receiver, _, _ in
            let left = try await eventually("the first try is written down") {
                let rows = try await scene.pool.query(
                    """
                    SELECT extract(epoch FROM n.next_delivery_at - d.at)::float8 AS seconds
                    FROM notifications n JOIN delivery_tries d ON d.notification_id = n.id
                    """)
                return try rows.first?.double("seconds")
            }
            #expect((59.0...61.0).contains(left), "\(left)")
            #expect(try await receiver.seen().count == 1)
        }
    }

    @Test func `a receiver that is not there`() async throws {
        try await Scene.with { scene in
            // Port 1 of the own machine: nobody listens.
            try await scene.addWebhook(
                of: scene.world.operator, "http://127.0.0.1:1/", key: Receiver.randomSecret())
            let run = try await scene.run(initiator: scene.world.operator)
            try await scene.notifying { _ in
                try await scene.publish(scene.event(of: run))
                try await settled(scene, "given up") { $0.isGivenUp }
            }
            #expect(try await scene.deliveries() == ["1 unreachable", "2 unreachable", "3 unreachable"])
        }
    }

    @Test(arguments: ["http", "https"])
    func `nothing is sent to the own machine or without TLS unless that is allowed`(scheme: String)
        async throws
    {
        var options = Scene.Options()
        options.allowsPrivate = false
        try await told(at: "/hook", options, scheme: scheme) { scene, receiver, _, _ in
            try await settled(scene, "given up") { $0.isGivenUp }
            #expect(try await scene.deliveries() == ["1 not_sent", "2 not_sent", "3 not_sent"])
            #expect(try await receiver.seen().isEmpty)
        }
    }

    @Test func `a key that is sealed to another, or is none, is not sent with`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let world = scene.world
            try await scene.addWebhook(
                of: world.operator, receiver.url("/a"), key: receiver.secret,
                sealedTo: SealingPrivateKey().publicKey)
            try await scene.addWebhook(of: world.owner, receiver.url("/b"), key: "whsec_c2hvcnQ=")
            try await scene.addWebhook(of: world.stranger, receiver.url("/c"), key: receiver.secret)
            // Taken from another row: it belongs to that one.
            _ = try await scene.pool.query(
                """
                UPDATE webhooks w SET sealed_url = o.sealed_url FROM webhooks o
                WHERE w.user_id = $1::uuid AND o.user_id = $2::uuid
                """, [.uuid(world.stranger.uuid), .uuid(world.owner.uuid)])
            let people = [world.operator, world.owner, world.stranger]
            try await scene.notifying { _ in
                for person in people {
                    try await scene.publish(scene.event(of: scene.run(initiator: person)))
                }
                _ = try await eventually("all are given up") {
                    try await scene.rows(.webhook).filter(\.isGivenUp).count == 3 ? true : nil
                }
            }
            #expect(try await scene.deliveries().allSatisfy { $0.hasSuffix("not_sent") })
            #expect(try await receiver.seen().isEmpty)
            // Nothing of it is the receiver's doing.
            let failing = try await scene.pool.query("SELECT FROM webhooks WHERE failing_since IS NOT NULL")
            #expect(failing.isEmpty)
        }
    }

    @Test func `a disabled person's webhook is told nothing, before and after`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let (world, pool) = (scene.world, scene.pool)
            try await scene.addWebhook(of: world.operator, receiver.url("/hook"), key: receiver.secret)
            let earlier = try await scene.run(initiator: world.operator)
            try await tell(earlier, scene)
            #expect(try await scene.rows(.webhook).map(\.isDue) == [true])
            _ = try await pool.query(
                "UPDATE users SET disabled_at = now() WHERE id = $1::uuid", [.uuid(world.operator.uuid)])
            let later = try await scene.run(initiator: world.operator)
            try await scene.notifying { notifier in
                try await scene.publish(scene.event(of: later))
                try await settled(scene, "withdrawn") { $0.isGivenUp && !$0.isDue }
                _ = try await eventually("recorded") { notifier.received("recorded") == 1 ? true : nil }
            }
            #expect(try await scene.rows(.webhook).map(\.run) == [earlier])
            #expect(try await scene.deliveries().isEmpty)
            #expect(try await receiver.seen().isEmpty)
        }
    }

    @Test func `two couriers at once: each delivery goes out once`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let world = scene.world
            for user in [world.operator, world.owner] {
                try await scene.addWebhook(of: user, receiver.url("/hook"), key: receiver.secret)
            }
            var runs: Set<RunID> = []
            for index in 0..<60 {
                let user = index % 3 == 0 ? world.owner : world.operator
                runs.insert(try await scene.run(initiator: user))
            }
            for run in runs { try await tell(run, scene) }
            try await scene.notifying { _ in
                try await scene.notifying { _ in
                    _ = try await eventually("all are delivered") {
                        try await scene.rows(.webhook).filter(\.isDelivered).count == runs.count ? true : nil
                    }
                }
            }
            let seen = try await receiver.seen()
            #expect(seen.count == runs.count)
            #expect(Set(seen.map(\.id)) == Set(runs.map { "\($0)" }))
            #expect(!seen.contains { !$0.isVerified })
        }
    }

    @Test func `a claim that was left behind comes back under the same id when its lease has ended`()
        async throws
    {
        let receiver = try Receiver()
        try await Scene.with { scene in
            try await scene.addWebhook(
                of: scene.world.operator, receiver.url("/hook"), key: receiver.secret)
            let store = scene.deliveryStore(leaseSeconds: 1)
            let run = try await scene.run(initiator: scene.world.operator)
            try await tell(run, scene)
            let lost = try await store.claimDue(.webhook, limit: 10, perLane: 10, busy: [])
            #expect(lost.map(\.runID) == [run])
            #expect(try await store.claimDue(.webhook, limit: 10, perLane: 10, busy: []).isEmpty)
            try await scene.notifying { _ in
                try await settled(scene, "delivered") { $0.isDelivered }
            }
            #expect(try await receiver.seen().map(\.id) == ["\(run)"])
            // The lost try counts: a delivery that kills its program does not go on for ever.
            #expect(try await scene.deliveries() == ["2 delivered 200"])
            // The lost one wakes up: its result is written down, and changes nothing.
            try await store.record(TriedDelivery(lost[0], .timeout, nextInSeconds: 5))
            #expect(try await scene.rows(.webhook).map(\.isDelivered) == [true])
            #expect(try await scene.rows(.webhook).map(\.isDue) == [false])
        }
    }

    @Test func `a recipient who is busy does not take the places of others`() async throws {
        try await Scene.with { scene in
            let world = scene.world
            let store = scene.deliveryStore()
            for user in [world.operator, world.owner] {
                try await scene.addWebhook(of: user, "https://example.org/", key: Receiver.randomSecret())
            }
            for user in [world.operator, world.operator, world.operator, world.owner] {
                try await tell(scene.run(initiator: user), scene)
            }
            let first = try await store.claimDue(.webhook, limit: 10, perLane: 2, busy: [])
            #expect(first.map(\.recipient).filter { $0 == world.operator }.count == 2)
            #expect(first.count == 3)
            let busy = Set(first.filter { $0.recipient == world.operator }.map(\.lane))
            #expect(busy.count == 1)
            #expect(try await store.claimDue(.webhook, limit: 10, perLane: 2, busy: busy).isEmpty)
            #expect(try await store.claimDue(.webhook, limit: 10, perLane: 2, busy: []).map(\.attempt) == [1])
        }
    }

    /// Enters the notifications of an ended run, as the intake does.
    private func tell(_ run: RunID, _ scene: Scene) async throws {
        #expect(try await scene.tell(run) == [.inbox, .webhook])
    }
}

extension Scene {
    /// Enters the notifications of an ended run, as the intake does; returns the channels.
    func tell(_ run: RunID) async throws -> [NotificationPolicy.Channel] {
        let store = Notifications(pool: pool)
        let ended = try #require(try await store.endedRuns([run])[run])
        let recipient = try #require(ended.event.initiatorID)
        let text = NotificationText(ended)
        let new = NewNotification(run: ended, recipient: recipient, title: text.title, body: text.body)
        return try await store.add([new], channels: [.webhook, .email])[run] ?? []
    }
}
