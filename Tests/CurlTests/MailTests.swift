import Foundation
import Testing

@testable import Curl

@Suite struct MailTests {
    struct Received: Decodable {
        let tls: Bool
        let recipients: [String]
        let login: [String]?
        let sender: String
        let data: Data

        var text: String { String(decoding: data, as: UTF8.self) }
    }

    static func mail(
        _ server: String, _ security: MailRelay.Security, sender: String = "atlas@example.com",
        recipients: [String] = ["a@example.com"], text: String = "hello", id: String = UUID().uuidString,
        credentials: MailRelay.Credentials? = nil, timeout: Duration = .seconds(20)
    ) -> Mail {
        let peer = Peer.shared
        let relay = MailRelay(
            host: "localhost", port: peer.port(server), security: security, credentials: credentials,
            trustedCAFile: peer.authorityFile)
        return Mail(
            relay: relay, sender: sender, recipients: recipients, subject: "Run finished", text: text,
            messageID: "\(id)@atlas.example", date: Date(timeIntervalSince1970: 1_795_255_327),
            timeout: timeout)
    }

    static func received(_ mail: Mail, _ client: CurlClient) async throws -> [Received] {
        let response = try await client.perform(HTTPRequest(url: Peer.shared.url("/mails")))
        let all = try JSONDecoder().decode([Received].self, from: Data(response.body))
        return all.filter { $0.text.contains("Message-ID: <\(mail.messageID)>\r\n") }
    }

    static func failure(of mail: Mail, _ client: CurlClient) async -> TransferError? {
        do {
            try await client.send(mail)
            Issue.record("the relay took it")
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("smtp", MailRelay.Security.none), ("starttls", .startTLSRequired), ("smtps", .implicit),
        ("starttls", .none),
    ])
    func sends(server: String, security: MailRelay.Security) async throws {
        try await withClient { client, _ in
            let mail = Self.mail(
                server, security, recipients: ["a@example.com", "b@example.com", "c@example.com"],
                text: ".\n..dots\n. at the beginning\nend")
            try await client.send(mail)
            let received = try #require(try await Self.received(mail, client).first)
            #expect(received.tls == (security != .none))
            #expect(received.sender == mail.sender && received.recipients == mail.recipients)
            // As it is on the wire: dots doubled, then the end mark.
            #expect(received.text.hasSuffix("\r\n\r\n..\r\n...dots\r\n.. at the beginning\r\nend\r\n.\r\n"))
        }
    }

    @Test func logsInOverTLSOnly() async throws {
        try await withClient { client, _ in
            let right = MailRelay.Credentials(user: "atlas", password: "open sesame")
            let mail = Self.mail("starttls", .startTLSRequired, credentials: right)
            try await client.send(mail)
            let received = try await Self.received(mail, client).first?.login
            #expect(received == ["atlas", "open sesame"])
            let wrong = MailRelay.Credentials(user: "atlas", password: "guess")
            let refused = await Self.failure(of: Self.mail("smtps", .implicit, credentials: wrong), client)
            #expect(refused?.kind == .mailRefused(code: 535))
            let plain = await Self.failure(of: Self.mail("smtp", .none, credentials: right), client)
            #expect(plain?.kind == .invalidRequest)
        }
    }

    /// libcurl would take the kept plain-text connection for the second mail.
    @Test func tlsIsNeverSkipped() async throws {
        try await withClient { client, _ in
            try await client.send(Self.mail("smtp", .none))
            let mail = Self.mail("smtp", .startTLSRequired)
            let error = await Self.failure(of: mail, client)
            #expect(error?.kind == .tls && error?.requestMayHaveBeenSent == false)
            #expect(try await Self.received(mail, client).isEmpty)
        }
    }

    @Test func strangersAreNotTrusted() async throws {
        try await withClient { client, _ in
            let error = await Self.failure(of: Self.mail("smtpsForeign", .startTLSRequired), client)
            #expect(error?.kind == .tls && error?.requestMayHaveBeenSent == false)
        }
    }

    @Test(arguments: [
        ("550@example.com", 550), ("451@example.com", 451),
    ])
    func aRefusedRecipientRefusesTheMail(recipient: String, code: Int) async throws {
        try await withClient { client, _ in
            let mail = Self.mail("smtp", .none, recipients: ["a@example.com", recipient])
            let error = await Self.failure(of: mail, client)
            #expect(error?.kind == .mailRefused(code: code) && error?.requestMayHaveBeenSent == false)
            let received = try await Self.received(mail, client)
            #expect(received.isEmpty)
        }
    }

    @Test func saysWhetherTheRelayMayHaveTakenIt() async throws {
        try await withClient { client, _ in
            let dropped = await Self.failure(of: Self.mail("smtp", .none, sender: "drop@example.com"), client)
            #expect(dropped?.kind == .reset(sent: true))
            #expect(dropped?.requestMayHaveBeenSent == true, "\(dropped?.message ?? "")")
            let refused = await Self.failure(
                of: Self.mail("smtp", .none, sender: "refuse@example.com"), client)
            #expect(refused?.kind == .mailRefused(code: 554) && refused?.requestMayHaveBeenSent == false)
            let hanging = Self.mail("smtp", .none, sender: "hang@example.com", timeout: .seconds(3))
            let late = await Self.failure(of: hanging, client)
            #expect(late?.kind == .timeout && late?.requestMayHaveBeenSent == true)
            let silent = Self.mail("silent", .none, timeout: .milliseconds(300))
            let never = await Self.failure(of: silent, client)
            #expect(never?.kind == .timeout && never?.requestMayHaveBeenSent == false)
        }
    }

    /// curl's usual way to take out a transfer would end the message properly: a mail that was cut off.
    @Test func stoppingIsQuickAndSendsNoHalfMail() async throws {
        try await withClient { observer, peer in
            let client = CurlClient(userAgent: "test")
            let text = String(repeating: String(repeating: "x", count: 70) + "\n", count: 14_000)
            let cancelled = Self.mail("smtp", .none, sender: "slow@example.com", text: text)
            let closed = Self.mail("smtp", .none, sender: "hang@example.com")
            let tasks = [cancelled, closed].map { mail in Task { await Self.failure(of: mail, client) } }
            try await peer.wait(for: "mail \(cancelled.messageID)", observer)
            try await peer.wait(for: "mail \(closed.messageID)", observer)
            let started = ContinuousClock.now
            tasks[0].cancel()
            let halfway = await tasks[0].value
            #expect(halfway?.kind == .cancelled && halfway?.requestMayHaveBeenSent == false)
            await client.close()
            let done = await tasks[1].value
            #expect(done?.kind == .cancelled && done?.requestMayHaveBeenSent == true)
            #expect(ContinuousClock.now - started < .seconds(10))
            let late = await Self.failure(of: Self.mail("smtp", .none), client)
            #expect(late?.kind == .cancelled && late?.requestMayHaveBeenSent == false)
            _ = try await observer.perform(HTTPRequest(url: peer.url("/read-on")))
            try await peer.wait(for: "cut", observer)
            let received = try await Self.received(cancelled, observer)
            #expect(received.isEmpty)
        }
    }

    /// More mails than threads; those that wait keep their deadlines, and can be cancelled.
    @Test func mailsWaitForAThread() async throws {
        try await withClient { client, peer in
            let hogs = (0..<8).map { _ in
                let mail = Self.mail("smtp", .none, sender: "hang@example.com")
                return (mail, Task { await Self.failure(of: mail, client)?.kind })
            }
            for (mail, _) in hogs { try await peer.wait(for: "mail \(mail.messageID)", client) }
            let late = await Self.failure(of: Self.mail("smtp", .none, timeout: .milliseconds(100)), client)
            #expect(late?.kind == .timeout && late?.requestMayHaveBeenSent == false)
            let waiting = Self.mail("smtp", .none)
            let cancelled = Task { await Self.failure(of: waiting, client)?.kind }
            cancelled.cancel()
            #expect(await cancelled.value == .cancelled)
            let patient = Self.mail("smtp", .none)
            async let sent: Void = client.send(patient)
            hogs[0].1.cancel()
            try await sent
            for (_, task) in hogs { task.cancel() }
            for (_, task) in hogs { #expect(await task.value == .cancelled) }
            let received = try await Self.received(patient, client)
            #expect(received.count == 1)
        }
    }

    @Test(arguments: [
        "", "nobody", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "a@b>", "<a@b", "a@b\0",
        "\"a b\"@c", "jörg@example.com", "a@b,c@d", String(repeating: "x", count: 65) + "@example.com",
        "a@" + String(repeating: "x", count: 253),
    ])
    func refusesAddresses(address: String) async throws {
        try await withClient { client, _ in
            for mail in [
                Self.mail("smtp", .none, recipients: ["a@example.com", address]),
                Self.mail("smtp", .none, sender: address),
            ] {
                #expect(await Self.failure(of: mail, client)?.kind == .invalidRequest)
            }
            var mail = Self.mail("smtp", .none)
            mail.messageID = address
            #expect(await Self.failure(of: mail, client)?.kind == .invalidRequest)
        }
    }

    @Test func refusesWhatCouldInject() async throws {
        try await withClient { client, _ in
            let good = Self.mail("smtp", .none)
            var mails: [Mail] = []
            for subject in [
                "a\r\nBcc: x@y", "a\nb", "a\rb", "\0", "a\u{85}b", "a\u{2028}b",
                String(repeating: "x", count: 501),
            ] {
                var mail = good
                mail.subject = subject
                mails.append(mail)
            }
            for host in ["", "a b", "host/path", "user@host", "a\r\nb", "::1", "host:25"] {
                var mail = good
                mail.relay.host = host
                mails.append(mail)
            }
            for (count, text) in [
                (0, "x"), (101, "x"), (1, "a\0b"), (1, String(repeating: "x", count: 1_048_577)),
            ] {
                var mail = good
                mail.recipients = Array(repeating: "a@b.example", count: count)
                mail.text = text
                mails.append(mail)
            }
            for mail in mails { #expect(await Self.failure(of: mail, client)?.kind == .invalidRequest) }
        }
    }

    @Test func plainTextGoesToTheOwnMachineOnly() async throws {
        try await withClient { client, _ in
            var mail = Self.mail("smtp", .none, timeout: .seconds(5))
            mail.relay.host = "192.0.2.1"
            #expect(await Self.failure(of: mail, client)?.kind == .refusedAddress)
        }
    }

    @Test func descriptionsKeepSecrets() {
        let credentials = MailRelay.Credentials(user: "name-secret", password: "word-secret")
        let mail = Self.mail(
            "smtps", .implicit, recipients: ["secret@example.com"], text: "text-secret",
            credentials: credentials)
        var dumped = ""
        dump(mail, to: &dumped)
        for text in ["\(mail)", "\(mail.relay)", "\(credentials)", String(reflecting: mail.relay), dumped] {
            #expect(!text.contains("secret"))
        }
    }
}
