import Waiting
import Crypto
import Fixtures
import Foundation
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Notifier

@Suite("Signatures as their receivers see them", .serialized)
struct WebhookKeyTests {
    /// A run ends and is delivered; returns what the receiver saw of it.
    private func deliver(_ scene: Scene, _ receiver: Receiver) async throws -> Receiver.Sighting {
        let run = try await scene.run(initiator: scene.world.operator)
        _ = try await scene.tell(run)
        try await scene.notifying { _ in
            _ = try await eventually("it is delivered") {
                try await scene.rows(.webhook).first { $0.run == run }?.isDelivered == true ? true : nil
            }
        }
        return try #require(try await receiver.seen().last { $0.id == "\(run)" })
    }

    private func rotate(
        _ id: WebhookID, to key: String, overlapSeconds: Int, _ scene: Scene
    ) async throws -> Bool {
        let publicKey = scene.key.publicKey
        return try await Webhooks(pool: scene.pool).rotate(
            id, overlapSeconds: overlapSeconds, in: scene.world.workspace, by: scene.world.owner
        ) { number in try scene.sealed(key, number: number, of: id, publicKey) }
    }

    @Test func `both keys sign during the overlap, then the new one alone`() async throws {
        let second = Receiver.randomSecret()
        let third = Receiver.randomSecret()
        let receiver = try Receiver(second, third)
        try await Scene.with { scene in
            let id = try await scene.addWebhook(
                of: scene.world.operator, receiver.url("/hook"), key: receiver.secret)
            let before = try await deliver(scene, receiver)
            #expect(before.verifiedBy == [0] && before.signatures == 1)

            #expect(try await rotate(id, to: second, overlapSeconds: 86_400, scene))
            let during = try await deliver(scene, receiver)
            #expect(during.verifiedBy == [0, 1] && during.signatures == 2)
            let left = try await scene.pool.query(
                "SELECT extract(epoch FROM expires_at - now())::float8 FROM webhook_keys WHERE number = 1")
            #expect((86_300...86_400).contains(try left[0].double(0)))

            _ = try await scene.pool.query(
                "UPDATE webhook_keys SET expires_at = now() - interval '1 second' WHERE number = 1")
            let after = try await deliver(scene, receiver)
            #expect(after.verifiedBy == [1] && after.signatures == 1)

            // It has become known: it ends now, and nothing of the expired ones is kept.
            #expect(try await rotate(id, to: third, overlapSeconds: 0, scene))
            let anew = try await deliver(scene, receiver)
            #expect(anew.verifiedBy == [2] && anew.signatures == 1)
            let kept = try await scene.pool.query("SELECT number FROM webhook_keys ORDER BY number")
            #expect(try kept.map { try $0.int(0) } == [3])
        }
    }

    @Test func `a webhook has only so many keys, and an old one never signs longer than it was to`()
        async throws
    {
        try await Scene.with { scene in
            let id = try await scene.addWebhook(
                of: scene.world.operator, "https://example.org/", key: Receiver.randomSecret())
            for number in 2...Webhooks.keyLimit {
                let overlap = number == 2 ? 60 : 86_400
                #expect(try await rotate(id, to: "whsec_\(number)", overlapSeconds: overlap, scene))
            }
            #expect(try await rotate(id, to: "whsec_x", overlapSeconds: 60, scene) == false)
            let first = try await scene.pool.query(
                "SELECT expires_at <= now() + interval '1 minute' FROM webhook_keys WHERE number = 1")
            #expect(try first[0].bool(0))
            #expect(try await rotate(id, to: "whsec_x", overlapSeconds: 0, scene))
            let rows = try await scene.pool.query(
                "SELECT details FROM audit WHERE action = 'webhook.key_rotated'")
            #expect(rows.count == Webhooks.keyLimit)
            #expect(try !rows.contains { try $0.json(0).contains("whsec") })
        }
    }

    @Test func `openssl verifies an Ed25519 signature with the public key, before and after a change`()
        async throws
    {
        let keys = [Curve25519.Signing.PrivateKey(), Curve25519.Signing.PrivateKey()]
        let secrets = keys.map { "whsk_\($0.rawRepresentation.base64EncodedString())" }
        let publics = keys.map { "whpk_\($0.publicKey.rawRepresentation.base64EncodedString())" }
        let receiver = try Receiver(publics[0], publics[1])
        try await Scene.with { scene in
            let id = try await scene.addWebhook(
                of: scene.world.operator, receiver.url("/hook"), key: secrets[0], signing: .ed25519)
            #expect(try await deliver(scene, receiver).verifiedBy == [1])
            #expect(try await rotate(id, to: secrets[1], overlapSeconds: 600, scene))
            let during = try await deliver(scene, receiver)
            #expect(during.verifiedBy == [1, 2] && during.signatures == 2)
        }
    }

    @Test func `each webhook of a person has one record of a run, and what one does holds up no other`()
        async throws
    {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let world = scene.world
            for path in ["/one", "/two", "/status/500"] {
                try await scene.addWebhook(of: world.operator, receiver.url(path), key: receiver.secret)
            }
            try await scene.addWebhook(of: world.owner, receiver.url("/another"), key: receiver.secret)
            let run = try await scene.run(initiator: world.operator)
            let event = try await scene.event(of: run)
            try await scene.notifying { one in
                try await scene.notifying { other in
                    try await scene.publish(Array(repeating: event.body, count: 20))
                    _ = try await eventually("all are over") {
                        let rows = try await scene.rows(.webhook)
                        return rows.count == 3 && !rows.contains(where: \.isDue) ? true : nil
                    }
                    _ = try await eventually("all events are received") {
                        let all = [one, other].map { $0.received("recorded") + $0.received("duplicate") }
                        return all.reduce(0, +) == 20 ? true : nil
                    }
                }
            }
            let rows = try await scene.rows()
            #expect(rows.map(\.channel) == ["inbox", "webhook", "webhook", "webhook"])
            #expect(rows.filter(\.isDelivered).count == 2)
            let paths = try await receiver.seen().map(\.path).sorted()
            #expect(paths == ["/one", "/status/500", "/status/500", "/status/500", "/two"])
        }
    }

    @Test func `a person has only so many webhooks`() async throws {
        try await Scene.with { scene in
            for _ in 0..<Webhooks.userLimit {
                try await scene.addWebhook(of: scene.world.operator, "https://example.org/", key: "whsec_")
            }
            await #expect(throws: NotInTime.self) {
                try await scene.addWebhook(of: scene.world.operator, "https://example.org/", key: "whsec_")
            }
            // A removed one makes room, and nothing secret of it is kept.
            let webhooks = Webhooks(pool: scene.pool)
            let all = try await webhooks.list(of: scene.world.workspace, after: nil, limit: 3)
            #expect(all.entries.count == 3 && all.hasMore)
            try await webhooks.remove(all.entries[0].id, in: scene.world.workspace, by: scene.world.owner)
            try await scene.addWebhook(of: scene.world.operator, "https://example.org/", key: "whsec_")
            let left = try await scene.pool.query(
                """
                SELECT FROM webhooks w LEFT JOIN webhook_keys k ON k.webhook_id = w.id
                WHERE w.removed_at IS NOT NULL AND (w.sealed_url IS NOT NULL OR k.number IS NOT NULL)
                """)
            #expect(left.isEmpty)
        }
    }
}
