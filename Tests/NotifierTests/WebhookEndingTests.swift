import Waiting
import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

@testable import Notifier

@Suite("Webhooks that are switched off by themselves", .serialized)
struct WebhookEndingTests {
    private struct State: Equatable {
        let because: String?
        let isFailing: Bool
    }

    private func state(_ scene: Scene) async throws -> State {
        let row = try await scene.pool.query(
            "SELECT disabled_because, failing_since IS NOT NULL AS failing FROM webhooks")[0]
        return State(because: try row.textOrNil("disabled_because"), isFailing: try row.bool("failing"))
    }

    private func audited(_ scene: Scene) async throws -> [String] {
        try await scene.pool.query(
            "SELECT details->>'reason_code' FROM audit WHERE action = 'webhook.disabled' ORDER BY id"
        ).map { try $0.text(0) }
    }

    /// Whoever was told in the inbox that a webhook was switched off, with the words.
    private func told(_ scene: Scene) async throws -> (people: Set<UserID>, count: Int, body: String) {
        let rows = try await scene.rows(.inbox).filter {
            $0.title == "The webhook «tickets» was switched off"
        }
        return (Set(rows.map(\.user)), rows.count, rows.first?.body ?? "")
    }

    /// Each of `runs` ended runs is published, and its delivery is over.
    private func deliver(_ runs: Int, _ scene: Scene) async throws {
        let before = try await scene.rows(.webhook).count
        try await scene.notifying { _ in
            for _ in 0..<runs {
                try await scene.publish(scene.event(of: scene.run(initiator: scene.world.operator)))
            }
            _ = try await eventually("all are over") {
                let rows = try await scene.rows(.webhook)
                return rows.count == before + runs && !rows.contains(where: \.isDue) ? true : nil
            }
        }
    }

    @Test
    func `410 ends it at once: no further try, no further notification, and those who keep it are told`()
        async throws
    {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let world = scene.world
            try await scene.addWebhook(of: world.operator, receiver.url("/status/410"), key: receiver.secret)
            try await deliver(1, scene)
            #expect(try await scene.deliveries() == ["1 refused 410"])
            #expect(try await state(scene).because == "gone")
            #expect(try await audited(scene) == ["gone"])
            let notice = try await told(scene)
            #expect(notice.people == [world.owner, world.people[.manager]!, world.operator])
            #expect(notice.count == 3)
            #expect(notice.body.contains("gone for good") && notice.body.contains("atlas webhooks enable"))

            let next = try await scene.run(initiator: world.operator)
            #expect(try await scene.tell(next) == [.inbox])
            #expect(try await receiver.seen().count == 1)
        }
    }

    @Test func `one that was given up is not switched off before five days have gone by`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            try await scene.addWebhook(
                of: scene.world.operator, receiver.url("/status/500"), key: receiver.secret)
            try await deliver(2, scene)
            #expect(try await state(scene) == State(because: nil, isFailing: true))
            _ = try await scene.pool.query(
                "UPDATE webhooks SET failing_since = now() - interval '119 hours'")
            try await deliver(1, scene)
            #expect(try await state(scene).because == nil)

            _ = try await scene.pool.query(
                "UPDATE webhooks SET failing_since = now() - interval '121 hours'")
            try await deliver(3, scene)
            #expect(try await state(scene).because == "failing")
            #expect(try await audited(scene) == ["failing"])
            let notice = try await told(scene)
            #expect(notice.count == 3, "told once, though several deliveries failed")
            #expect(notice.body.contains("for 5 days"))
        }
    }

    @Test func `one that works again between is as good as new`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            try await scene.addWebhook(
                of: scene.world.operator, receiver.url("/once-500"), key: receiver.secret)
            _ = try await scene.pool.query("UPDATE webhooks SET failing_since = now() - interval '30 days'")
            try await deliver(1, scene)
            #expect(try await scene.deliveries() == ["1 refused 500", "2 delivered 200"])
            #expect(try await state(scene) == State(because: nil, isFailing: false))
            #expect(try await told(scene).count == 0)
        }
    }

    @Test func `what waits for a webhook that a person switches off is given up, and can be asked for again`()
        async throws
    {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let (world, webhooks) = (scene.world, Webhooks(pool: scene.pool))
            let id = try await scene.addWebhook(
                of: world.operator, receiver.url("/hook"), key: receiver.secret)
            let run = try await scene.run(initiator: world.operator)
            _ = try await scene.tell(run)
            try await webhooks.setEnabled(id, false, in: world.workspace, by: world.owner)
            let reading = DeliveryReading(pool: scene.pool)
            let filter = DeliveryReading.Filter.run(run, nil)
            let delivery = try #require(try await reading.list(filter, before: nil, limit: 10).entries.first)
            #expect(delivery.state == .waiting)
            try await scene.notifying { _ in
                _ = try await eventually("it is given up") {
                    try await scene.rows(.webhook).first?.isGivenUp == true ? true : nil
                }
                #expect(
                    try await reading.repeatDelivery(delivery.id, in: world.workspace, by: world.owner)
                        == .unwanted)
                try await webhooks.setEnabled(id, true, in: world.workspace, by: world.owner)
                #expect(
                    try await reading.repeatDelivery(delivery.id, in: world.workspace, by: world.owner)
                        == .due)
                _ = try await eventually("it is delivered") {
                    try await scene.rows(.webhook).first?.isDelivered == true ? true : nil
                }
            }
            #expect(try await receiver.seen().map(\.id) == ["\(run)"])
            // The first claim found it switched off.
            #expect(try await scene.deliveries() == ["2 delivered 200"])
        }
    }
}
