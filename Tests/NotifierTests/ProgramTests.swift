import Waiting
import Fixtures
import Foundation
import Operations
import Postgres
import Sealing
import Store
import Testing

@testable import Notifier

@Suite("The program, as a process of its own", .serialized)
struct ProgramTests {
    private func environment(_ scene: Scene) -> [String: String] {
        ["DATABASE_URL": scene.database.url, "AMQP_URL": scene.brokerURL]
    }

    private func count(_ scene: Scene) async throws -> Int {
        try await scene.pool.query("SELECT count(*) FROM notifications")[0].int(0)
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func `ended in the midst: another goes on, nothing is lost or told twice`(signal: Int32) async throws {
        try await Scene.with { scene in
            let runs = try await withThrowingTaskGroup { group in
                for _ in 0..<1_200 { group.addTask { try await scene.run(initiator: scene.world.operator) } }
                return try await group.reduce(into: Set<RunID>()) { $0.insert($1) }
            }
            let events = try await Notifications(pool: scene.pool).endedRuns(runs)
            let first = try Program(environment(scene))
            // In pieces, so that there are many commits to be interrupted at.
            for event in events.values.prefix(600) { try await scene.publish(event.event) }
            first.send(signal)
            for event in events.values.dropFirst(600) { try await scene.publish(event.event) }
            let status = try await first.exitStatus()
            #expect(status == (signal == SIGTERM ? 0 : SIGKILL))
            let interrupted = try await count(scene)
            let second = try Program(environment(scene))
            _ = try await eventually("all are told") {
                try await count(scene) == runs.count ? true : nil
            }
            #expect(interrupted < runs.count)
            #expect(try await Set(scene.rows().map(\.run)) == runs)
            second.send(SIGTERM)
            #expect(try await second.exitStatus() == 0)
            #expect(try await scene.remaining().isEmpty)
        }
    }

    @Test func `without a private key webhooks are off, and the readiness says so`() async throws {
        try await Scene.with { scene in
            try await scene.addWebhook(of: scene.world.operator, "https://example.org/", key: "whsec_")
            let program = try Program(environment(scene))
            let ready = try await eventually("ready") {
                let page = try await program.page("/readyz?verbose")
                return page.status == 200 ? page.body : nil
            }
            #expect(ready.contains("webhooks (off: NOTIFIER_PRIVATE_KEY is not set)"))
            #expect(ready.contains("mails (off: SMTP_URL is not set)"))
            let run = try await scene.run(initiator: scene.world.operator)
            try await scene.publish(scene.event(of: run))
            _ = try await eventually("told") { try await scene.rows().isEmpty ? nil : true }
            #expect(try await scene.rows().map(\.channel) == ["inbox"])
            program.send(SIGTERM)
            #expect(try await program.exitStatus() == 0)
        }
    }

    @Test func `it delivers, keeps its secrets, and ends in time though a receiver hangs`() async throws {
        let receiver = try Receiver()
        try await Scene.with { scene in
            let (world, key) = (scene.world, scene.key)
            let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try "\(key.text)\n".write(to: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: file) }
            try await scene.addWebhook(
                of: world.operator, receiver.url("/quick?token=hidden"), key: receiver.secret)
            try await scene.addWebhook(of: world.owner, receiver.url("/slow"), key: receiver.secret)
            let program = try Program(
                environment(scene).merging([
                    "NOTIFIER_PRIVATE_KEY_FILE": file.path(), "WEBHOOK_ALLOW_PRIVATE": "true",
                    "LOG_LEVEL": "trace",
                ]) { $1 })
            let (quick, slow) = (
                try await scene.run(initiator: world.operator), try await scene.run(initiator: world.owner)
            )
            try await scene.publish(scene.event(of: quick), scene.event(of: slow))
            let seen = try await receiver.seen(2)
            #expect(Set(seen.map(\.id)) == ["\(quick)", "\(slow)"])
            #expect(!seen.contains { !$0.isVerified })
            _ = try await eventually("the quick one is delivered") {
                try await scene.rows(.webhook).contains { $0.run == quick && $0.isDelivered } ? true : nil
            }
            let figures = try await program.page("/metrics").body
            #expect(
                figures.contains(#"tenantatlas_notifications_total{channel="webhook",result="delivered"} 1"#))
            #expect(figures.contains("tenantatlas_webhook_deliveries_active 1"))
            #expect(try await program.page("/readyz?verbose").body.contains("webhooks (on)"))
            program.send(SIGTERM)
            #expect(try await program.exitStatus() == 0)
            // What was broken off is neither delivered nor given up: it comes back when its lease has ended.
            let left = try await scene.rows(.webhook).first { $0.run == slow }
            #expect(left?.isDue == true && left?.isDelivered == false && left?.isGivenUp == false)
            for hidden in ["hidden", key.text, String(receiver.secret.dropFirst(6)), "/slow"] {
                #expect(!program.log.contains(hidden), "\(hidden) is in the log")
            }
        }
    }

    @Test
    func
        `killed between sending and writing down: the same comes again under its id, and there is one record`()
        async throws
    {
        let (receiver, relay) = (try Receiver(), try MailReceiver())
        try await Scene.with { scene in
            let user = scene.world.operator
            try await scene.addWebhook(of: user, receiver.url("/slow-once"), key: receiver.secret)
            try await scene.setEmail(of: user, "slow-omar@example.com")
            let password = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try "open sesame\n".write(to: password, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(at: password) }
            let settings = environment(scene).merging([
                "NOTIFIER_PRIVATE_KEY": scene.key.text, "WEBHOOK_ALLOW_PRIVATE": "true", "LOG_LEVEL": "trace",
                "SMTP_URL": "smtp://atlas@localhost:\(relay.port(.starttls))",
                "SMTP_FROM": "atlas@provider.example",
                "SMTP_PASSWORD_FILE": password.path(), "SMTP_CA_FILE": relay.authority,
                "CONSOLE_URL": "https://console.example/",
            ]) { $1 }
            let first = try Program(settings)
            let run = try await scene.run(initiator: user)
            try await scene.publish(scene.event(of: run))
            // Both have it, and neither has answered.
            _ = try await (receiver.seen(1), relay.mails(1))
            first.send(SIGKILL)
            #expect(try await first.exitStatus() == SIGKILL)
            #expect(try await scene.rows().map(\.channel) == ["email", "inbox", "webhook"])
            #expect(try await scene.deliveries().isEmpty)
            #expect(try await scene.deliveries(.email).isEmpty)

            // Its leases end.
            _ = try await scene.pool.query(
                "UPDATE notifications SET next_delivery_at = now() WHERE next_delivery_at IS NOT NULL")
            let second = try Program(settings)
            _ = try await eventually("both are delivered") {
                try await scene.rows().filter(\.isDelivered).count == 2 ? true : nil
            }
            let (seen, mails) = (try await receiver.seen(), try await relay.mails())
            #expect(seen.map(\.id) == ["\(run)", "\(run)"] && seen[0].body == seen[1].body)
            #expect(mails.count == 2 && mails[0].header("Message-ID") == mails[1].header("Message-ID"))
            #expect(mails[1].login == ["atlas", "open sesame"])
            #expect(mails[1].text.contains("View run: https://console.example/runs/\(run)\n"))
            #expect(try await scene.rows().count == 3)
            #expect(try await scene.deliveries() == ["2 delivered 200"])
            #expect(try await scene.deliveries(.email) == ["2 delivered"])
            let figures = try await second.page("/metrics").body
            #expect(
                figures.contains(#"tenantatlas_notifications_total{channel="email",result="delivered"} 1"#))
            #expect(try await second.page("/readyz?verbose").body.contains("mails (on)"))
            second.send(SIGTERM)
            #expect(try await second.exitStatus() == 0)
            for hidden in ["open sesame", "slow-omar", "/slow-once"] {
                #expect(!(first.log + second.log).contains(hidden), "\(hidden) is in the log")
            }
        }
    }

    @Test func `all that is wrong about the mails is said, without its value`() async throws {
        let program = try Program([
            "DATABASE_URL": "postgres://localhost/x", "AMQP_URL": "amqp://localhost/",
            "SMTP_URL": "smtp://user:sesame@relay.example.com", "SMTP_FROM": "nobody",
            "WEBHOOK_ALLOW_PRIVATE": "yes",
        ])
        #expect(try await program.exitStatus() == 78)
        for wrong in ["SMTP_URL is not", "SMTP_FROM is not", "WEBHOOK_ALLOW_PRIVATE is neither"] {
            #expect(program.log.contains(wrong))
        }
        #expect(!program.log.contains("sesame"))
    }

    @Test func `a key that is none: all that is wrong is said, without its value`() async throws {
        let program = try Program([
            "DATABASE_URL": "postgres://localhost/x", "AMQP_URL": "amqp://localhost/",
            "NOTIFIER_PRIVATE_KEY": "ta-private:bm90IGEga2V5",
        ])
        #expect(try await program.exitStatus() == 78)
        #expect(program.log.contains("NOTIFIER_PRIVATE_KEY is not a private key"))
        #expect(!program.log.contains("bm90IGEga2V5"))
    }
}
