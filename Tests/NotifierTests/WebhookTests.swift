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
            try await scene.setWebhook(
                of: scene.world.operator, receiver.url(path, scheme: scheme), secret: receiver.secret)
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
        _ = try await eventually(what, within: .seconds(40)) {
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

    @Test func `410 disables the endpoint: no further try, no further notification`() async throws {
        try await told(at: "/status/410") { scene, receiver, _, notifier in
            try await settled(scene, "given up") { $0.isGivenUp }
            #expect(try await scene.deliveries() == ["1 refused 410"])
            let disabled = try await scene.pool.query("SELECT disabled_at IS NOT NULL FROM webhooks")
            #expect(try disabled[0].bool(0))
            let audit = try await scene.pool.query(
                "SELECT details FROM audit WHERE action = 'webhook.disabled'")
            #expect(audit.count == 1)

            try await scene.publish(scene.event(of: scene.run(initiator: scene.world.operator)))
            _ = try await eventually("both are recorded") { notifier.received("recorded") == 2 ? true : nil }
            #expect(try await scene.rows(.webhook).count == 1)
            #expect(try await scene.rows(.inbox).count == 2)
            #expect(try await receiver.seen().count == 1)
        }
    }

    @Test func `an endpoint that was set anew survives the 410 of the old one`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let store = Notifications(pool: scene.pool, leaseSeconds: 60)
            try await scene.setWebhook(
                of: scene.world.operator, receiver.url("/old"), secret: receiver.secret)
            let run = try await scene.run(initiator: scene.world.operator)
            try await tell(run, scene, store)
            let due = try await store.claimDue(limit: 10, perRecipient: 10, busy: [])
            try await scene.setWebhook(
                of: scene.world.operator, receiver.url("/new"), secret: receiver.secret)
            try await store.record(TriedDelivery(due[0], .refused, status: 410, disablesEndpoint: true))
            let disabled = try await scene.pool.query("SELECT disabled_at IS NOT NULL FROM webhooks")
            #expect(try disabled[0].bool(0) == false)
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
                    FROM notifications n JOIN deliveries d USING (run_id, channel)
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
            try await scene.setWebhook(
                of: scene.world.operator, "http://127.0.0.1:1/", secret: Self.someSecret)
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

    @Test func `a secret that is sealed to another key, or is none, is not sent with`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let world = scene.world
            try await scene.setWebhook(
                of: world.operator, receiver.url("/a"), secret: receiver.secret,
                sealedTo: SealingPrivateKey().publicKey)
            try await scene.setWebhook(of: world.owner, receiver.url("/b"), secret: "whsec_c2hvcnQ=")
            let runs = [
                try await scene.run(initiator: world.operator), try await scene.run(initiator: world.owner),
            ]
            try await scene.notifying { _ in
                for run in runs { try await scene.publish(scene.event(of: run)) }
                _ = try await eventually("both are given up") {
                    try await scene.rows(.webhook).filter(\.isGivenUp).count == 2 ? true : nil
                }
            }
            #expect(try await scene.deliveries().allSatisfy { $0.hasSuffix("not_sent") })
            #expect(try await receiver.seen().isEmpty)
        }
    }

    @Test func `a disabled person's webhook is told nothing, before and after`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let (world, pool) = (scene.world, scene.pool)
            try await scene.setWebhook(of: world.operator, receiver.url("/hook"), secret: receiver.secret)
            let store = Notifications(pool: pool, leaseSeconds: 60)
            let earlier = try await scene.run(initiator: world.operator)
            try await tell(earlier, scene, store)
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
                try await scene.setWebhook(of: user, receiver.url("/hook"), secret: receiver.secret)
            }
            let store = Notifications(pool: scene.pool, leaseSeconds: 60)
            var runs: Set<RunID> = []
            for index in 0..<60 {
                let user = index % 3 == 0 ? world.owner : world.operator
                runs.insert(try await scene.run(initiator: user))
            }
            for run in runs { try await tell(run, scene, store) }
            try await scene.notifying { _ in
                try await scene.notifying { _ in
                    _ = try await eventually("all are delivered", within: .seconds(40)) {
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
            try await scene.setWebhook(
                of: scene.world.operator, receiver.url("/hook"), secret: receiver.secret)
            let store = Notifications(pool: scene.pool, leaseSeconds: 1)
            let run = try await scene.run(initiator: scene.world.operator)
            try await tell(run, scene, store)
            let lost = try await store.claimDue(limit: 10, perRecipient: 10, busy: [])
            #expect(lost.map(\.runID) == [run])
            #expect(try await store.claimDue(limit: 10, perRecipient: 10, busy: []).isEmpty)
            try await scene.notifying { _ in
                try await settled(scene, "delivered") { $0.isDelivered }
            }
            #expect(try await receiver.seen().map(\.id) == ["\(run)"])
            // The lost one wakes up: its result is written down, and changes nothing.
            try await store.record(TriedDelivery(lost[0], .timeout, nextInSeconds: 5))
            #expect(try await scene.rows(.webhook).map(\.isDelivered) == [true])
            #expect(try await scene.rows(.webhook).map(\.isDue) == [false])
        }
    }

    @Test func `a recipient who is busy does not take the places of others`() async throws {
        try await Scene.with { scene in
            let world = scene.world
            let store = Notifications(pool: scene.pool, leaseSeconds: 60)
            for user in [world.operator, world.owner] {
                try await scene.setWebhook(of: user, "https://example.org/", secret: Self.someSecret)
            }
            for user in [world.operator, world.operator, world.operator, world.owner] {
                try await tell(scene.run(initiator: user), scene, store)
            }
            let first = try await store.claimDue(limit: 10, perRecipient: 2, busy: [])
            #expect(first.map(\.recipient).filter { $0 == world.operator }.count == 2)
            #expect(first.count == 3)
            #expect(try await store.claimDue(limit: 10, perRecipient: 2, busy: [world.operator]).isEmpty)
            #expect(try await store.claimDue(limit: 10, perRecipient: 2, busy: []).map(\.attempt) == [1])
        }
    }

    private static let someSecret = "whsec_\(Data(repeating: 7, count: 24).base64EncodedString())"

    /// Enters the notifications of an ended run, as the intake does.
    private func tell(_ run: RunID, _ scene: Scene, _ store: Notifications) async throws {
        let ended = try #require(try await store.endedRuns([run])[run])
        let recipient = try #require(ended.event.initiatorID)
        let added = try await store.add(
            [NewNotification(run: ended, recipient: recipient, title: "title", body: "")], usesWebhooks: true)
        #expect(added[run] == [.inbox, .webhook])
    }
}
