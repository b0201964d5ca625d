import Waiting
import Fixtures
import Foundation
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Notifier

@Suite("Names whose addresses change", .serialized)
struct RebindingTests {
    /// Of the public space, given to nobody (it was the 6bone's), so that nothing is there.
    private static let nowhere = "3ffe::1"

    /// The program, told by its environment to send to the public Internet only.
    private func program(_ scene: Scene, _ names: FakeNames, allowsPrivate: Bool = false) throws -> Program {
        try Program(
            names.environment.merging([
                "DATABASE_URL": scene.database.url, "AMQP_URL": scene.brokerURL,
                "NOTIFIER_PRIVATE_KEY": scene.key.text, "WEBHOOK_ALLOW_PRIVATE": "\(allowsPrivate)",
            ]) { $1 })
    }

    /// Runs a program until the webhook's next try is written down; returns that try's result.
    private func nextTry(_ scene: Scene, _ names: FakeNames, allowsPrivate: Bool = false) async throws
        -> String
    {
        let before = try await scene.deliveries()
        _ = try await scene.pool.query(
            "UPDATE notifications SET next_delivery_at = now() WHERE channel = 'webhook'")
        let program = try program(scene, names, allowsPrivate: allowsPrivate)
        let tries = try await eventually("a try is written down") {
            let tries = try await scene.deliveries()
            return tries.count > before.count ? tries : nil
        }
        // Before its next try.
        program.send(SIGKILL)
        _ = try await program.exitStatus()
        return String(tries[before.count].drop { $0 != " " }.dropFirst())
    }

    @Test func `the address that is asked for at the time of sending decides, and it is asked for once`()
        async throws
    {
        let receiver = try Receiver()
        let name = "turning.rebinding.test"
        let names = try FakeNames([name: [Self.nowhere, "127.0.0.1"]])
        try await Scene.with { scene in
            try await scene.addWebhook(
                of: scene.world.operator, "https://\(name):\(receiver.trapPort)/", key: receiver.secret)
            _ = try await scene.tell(scene.run(initiator: scene.world.operator))
            let first = try await nextTry(scene, names)
            #expect(["unreachable", "timeout"].contains(first))
            #expect(names.asked(name) == 1)
            #expect(try await nextTry(scene, names) == "not_sent")
            #expect(names.asked(name) == 2)
            #expect(try await receiver.trapped() == 0)
        }
    }

    @Test func `a private address among public ones is never connected to`() async throws {
        let receiver = try Receiver()
        let name = "mixed.rebinding.test"
        let names = try FakeNames([name: ["127.0.0.1,\(Self.nowhere),127.0.0.1"]])
        try await Scene.with { scene in
            try await scene.addWebhook(
                of: scene.world.operator, "https://\(name):\(receiver.trapPort)/", key: receiver.secret)
            _ = try await scene.tell(scene.run(initiator: scene.world.operator))
            let result = try await nextTry(scene, names)
            #expect(result != "delivered")
            #expect(names.asked(name) == 1)
            #expect(try await receiver.trapped() == 0)
            // The same, where private addresses are allowed: somebody comes.
            _ = try await nextTry(scene, names, allowsPrivate: true)
            #expect(try await receiver.trapped() >= 1)
        }
    }
}
