import Waiting
import Curl
import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

@testable import Notifier

@Suite("Mails, against a relay of its own mind", .serialized)
struct MailTests {
    /// A scene whose operator is told at `address`, and one ended run of theirs, which is told by the relay.
    private func told(
        at address: String, _ settings: (MailReceiver) -> MailSettings = { $0.settings() },
        _ body: (Scene, MailReceiver, RunID, RunningNotifier) async throws -> Void
    ) async throws {
        let relay = try MailReceiver()
        try await Scene.with { scene in
            try await scene.setEmail(of: scene.world.operator, address)
            let run = try await scene.run(
                outcome: .blocked, reason: .denial(.connectionDisabled), initiator: scene.world.operator)
            var options = Scene.Options()
            options.mails = settings(relay)
            try await scene.notifying(options) { notifier in
                try await scene.publish(scene.event(of: run))
                _ = try await eventually("the mail is over") {
                    try await scene.rows(.email).first?.isDue == false ? true : nil
                }
                try await body(scene, relay, run, notifier)
            }
        }
    }

    @Test(arguments: [
        (MailReceiver.Port.starttls, MailRelay.Security.startTLSRequired), (.implicit, .implicit),
        (.plain, .none),
    ])
    func `the person is told in words, once, beside the inbox`(
        port: MailReceiver.Port, security: MailRelay.Security
    ) async throws {
        let password = security == .none ? nil : "open sesame"
        try await told(at: "omar@example.com", { $0.settings(port, security: security, password: password) })
        {
            scene, relay, run, notifier in
            let mails = try await relay.mails()
            #expect(mails.count == 1)
            let mail = mails[0]
            #expect(mail.isEncrypted == (security != .none))
            #expect(mail.login == (security == .none ? [] : ["atlas", "open sesame"]))
            #expect(mail.sender == "atlas@provider.example" && mail.recipients == ["omar@example.com"])
            #expect(mail.header("Subject") == ["Connection check of Tenant 1 was blocked"])
            #expect(mail.header("Content-Type").first?.hasPrefix("text/plain") == true)
            let id = try await scene.pool.query("SELECT id FROM notifications WHERE channel = 'email'")[0]
                .uuid(0)
            #expect(mail.header("Message-ID") == ["<\(DeliveryID(id))@provider.example>"])
            let sentence = Presentation.sentence(.denial(.connectionDisabled))
            let remedy = Presentation.remedy(.denial(.connectionDisabled), isOver: true)
            #expect(mail.text.contains("Connection check of Tenant 1 was blocked.\n"))
            #expect(mail.text.contains("\(sentence) \(remedy)"))
            #expect(mail.text.contains("View run: https://console.example/runs/\(run)\n"))
            #expect(mail.text.contains("atlas notifications email --off"))
            #expect(try await scene.rows().map(\.channel) == ["email", "inbox"])
            #expect(try await scene.rows(.email).map(\.isDelivered) == [true])
            #expect(try await scene.deliveries(.email) == ["1 delivered"])
            #expect(
                notifier.figure(#"tenantatlas_notifications_total{channel="email",result="delivered"}"#) == 1)
        }
    }

    @Test func `what the relay does not take now comes again under the same id`() async throws {
        try await told(at: "later@example.com") { scene, relay, _, _ in
            let tries = try await scene.deliveries(.email)
            #expect(tries == ["1 refused 451", "2 delivered"])
            #expect(try await relay.mails().count == 1)
            #expect(try await scene.rows(.email).count == 1)
        }
    }

    @Test func `what the relay never takes is given up at once`() async throws {
        try await told(at: "never@example.com") { scene, relay, _, _ in
            let tries = try await scene.deliveries(.email)
            #expect(tries == ["1 refused 550"])
            #expect(try await scene.rows(.email).map(\.isGivenUp) == [true])
            #expect(try await relay.mails().isEmpty)
        }
    }

    @Test func `a relay that refuses us is our trouble, not the recipient's`() async throws {
        try await told(at: "omar@example.com", { $0.settings(password: "guess") }) { scene, relay, _, _ in
            let tries = try await scene.deliveries(.email)
            #expect(tries == ["1 not_sent 535", "2 not_sent 535", "3 not_sent 535"])
            #expect(try await relay.mails().isEmpty)
        }
    }

    @Test func `nothing is sent in plain text to a relay that should have had TLS`() async throws {
        try await told(at: "omar@example.com", { $0.settings(.plain) }) { scene, relay, _, _ in
            let tries = try await scene.deliveries(.email)
            #expect(tries == ["1 not_sent", "2 not_sent", "3 not_sent"])
            #expect(try await relay.mails().isEmpty)
        }
    }

    @Test func `a tenant's name can neither add a header nor make a mail unsendable`() async throws {
        let relay = try MailReceiver()
        try await Scene.with { scene in
            let name = "Contoso\r\nBcc: everybody@example.com\u{2028}" + String(repeating: "ü😀", count: 70)
            _ = try await scene.pool.query("UPDATE tenants SET name = $1", [.text(name)])
            try await scene.setEmail(of: scene.world.operator, "omar@example.com")
            var options = Scene.Options()
            options.mails = relay.settings(console: nil)
            let run = try await scene.run(initiator: scene.world.operator)
            try await scene.notifying(options) { _ in
                try await scene.publish(scene.event(of: run))
                let mail = try await relay.mails(1)[0]
                #expect(mail.recipients == ["omar@example.com"])
                #expect(mail.header("Bcc").isEmpty)
                let subject = mail.header("Subject").first ?? ""
                #expect(
                    subject.hasPrefix("Connection check of Contoso  Bcc: everybody@example.com üü") == false)
                #expect(subject.hasPrefix("Connection check of Contoso") && subject.utf8.count <= 500)
                #expect(mail.text.contains("View run: atlas runs show \(run)\n"))
            }
        }
    }

    @Test func `nobody is mailed unasked, or about a tenant that they lost`() async throws {
        let relay = try MailReceiver()
        try await Scene.with(tenants: 2) { scene in
            let world = scene.world
            try await scene.setEmail(of: world.owner, "off@example.com", isEnabled: false)
            try await scene.setEmail(of: world.operator, "omar@example.com")
            #expect(try await scene.tell(scene.run(initiator: world.people[.manager]!)) == [.inbox])
            #expect(try await scene.tell(scene.run(initiator: world.owner)) == [.inbox])
            let told = try await scene.run(initiator: world.operator, tenant: 1)
            #expect(try await Set(scene.tell(told)) == [.inbox, .email])
            // Before it was sent, the person lost the tenant; and after that, nothing is entered any more.
            _ = try await scene.pool.query(
                "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid",
                [.uuid(world.operator.uuid)])
            #expect(try await scene.tell(scene.run(initiator: world.operator)) == [.inbox])
            var options = Scene.Options()
            options.mails = relay.settings()
            try await scene.notifying(options) { _ in
                _ = try await eventually("it is given up") {
                    try await scene.rows(.email).first?.isGivenUp == true ? true : nil
                }
            }
            #expect(try await scene.rows(.email).map(\.run) == [told])
            #expect(try await scene.deliveries(.email).isEmpty)
            #expect(try await relay.mails().isEmpty)
        }
    }

    @Test func `it is sent once more when somebody asks, under the same id`() async throws {
        try await told(at: "omar@example.com") { scene, relay, run, _ in
            let reading = DeliveryReading(pool: scene.pool)
            let filter = DeliveryReading.Filter.run(run, nil)
            let delivery = try #require(try await reading.list(filter, before: nil, limit: 10).entries.first)
            #expect(delivery.state == .delivered && delivery.tries.map(\.result) == ["delivered"])
            #expect(
                try await reading.repeatDelivery(
                    delivery.id, in: scene.world.workspace, by: scene.world.owner) == .due)
            let mails = try await relay.mails(2)
            #expect(mails[0].header("Message-ID") == mails[1].header("Message-ID"))
            #expect(mails[0].text == mails[1].text && mails[0].header("Date") == mails[1].header("Date"))
            _ = try await eventually("it is written down") {
                try await scene.deliveries(.email) == ["1 delivered", "2 delivered"] ? true : nil
            }
            let audit = try await scene.pool.query(
                "SELECT actor_id, run_id FROM audit WHERE action = 'delivery.repeated'")
            #expect(try audit.map { try $0.uuid(0) } == [scene.world.owner.uuid])
            #expect(try audit.map { try $0.uuid(1) } == [run.uuid])
        }
    }
}
