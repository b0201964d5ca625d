import Foundation
import Testing

@testable import Curl

@Suite struct MailMessageTests {
    static func mail(subject: String = "Subject", text: String) -> Mail {
        Mail(
            relay: MailRelay(host: "relay.example", port: 25, security: .implicit),
            sender: "from@example.com",
            recipients: ["one@example.com", "two@example.com"], subject: subject, text: text,
            messageID: "id-1@example.com", date: Date(timeIntervalSince1970: 1_795_255_327))
    }

    @Test func isAnInternetMessage() {
        let message = String(
            decoding: MailMessage.bytes(of: Self.mail(text: "one\ntwo\r\nthree\rfour")), as: UTF8.self)
        #expect(
            message
                == """
                Date: Sat, 21 Nov 2026 10:02:07 +0000
                From: <from@example.com>
                To: <one@example.com>,
                 <two@example.com>
                Subject: Subject
                Message-ID: <id-1@example.com>
                Auto-Submitted: auto-generated
                MIME-Version: 1.0
                Content-Type: text/plain; charset=utf-8
                Content-Transfer-Encoding: 7bit

                one
                two
                three
                four

                """.replacingOccurrences(of: "\n", with: "\r\n"))
    }

    @Test(arguments: [
        "Größe ✓ 👩🏽‍🚀", String(repeating: "x", count: 999), String(repeating: "ä", count: 5_000), "bell \u{7}",
        "del \u{7F}",
    ])
    func otherTextsTravelAsBase64(text: String) throws {
        let message = String(decoding: MailMessage.bytes(of: Self.mail(text: text)), as: UTF8.self)
        let parts = message.components(separatedBy: "\r\n\r\n")
        #expect(parts.count == 2 && parts[0].contains("Content-Transfer-Encoding: base64"))
        #expect(message.utf8.allSatisfy { $0 < 127 })
        #expect(parts[1].components(separatedBy: "\r\n").allSatisfy { $0.count <= 76 })
        let decoded = try #require(Data(base64Encoded: parts[1], options: .ignoreUnknownCharacters))
        #expect(String(decoding: decoded, as: UTF8.self) == text)
    }

    @Test func keepsLongASCIILinesThatFit() {
        let message = MailMessage.bytes(of: Self.mail(text: String(repeating: "x", count: 998)))
        #expect(String(decoding: message, as: UTF8.self).contains("Content-Transfer-Encoding: 7bit"))
    }

    @Test(arguments: [
        "Grün", "✓ done", "plain but with =?utf-8?q?a?= in it", String(repeating: "long ", count: 30),
        String(repeating: "👩🏽‍🚀", count: 30), "ä" + String(repeating: "x", count: 44) + "ü",
    ])
    func encodedWordsDecodeToTheSubject(subject: String) throws {
        let lines = EncodedWord.header(subject).components(separatedBy: "\r\n ")
        var decoded = ""
        for line in lines {
            #expect(line.utf8.count <= 75 && line.hasPrefix("=?UTF-8?B?") && line.hasSuffix("?="))
            let bytes = try #require(Data(base64Encoded: String(line.dropFirst(10).dropLast(2))))
            decoded += try #require(String(data: bytes, encoding: .utf8))
        }
        #expect(decoded == subject)
    }

    @Test(arguments: ["", "Run finished", "a = b ? c", String(repeating: "x", count: 60)])
    func shortASCIIStaysAsItIs(subject: String) {
        #expect(EncodedWord.header(subject) == subject)
    }
}
