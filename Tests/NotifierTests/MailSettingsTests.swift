import Curl
import Operations
import ServiceKit
import Testing

@testable import Notifier

struct MailSettingsTests {
    private func read(_ environment: [String: String]) -> (settings: MailSettings?, problems: [String]) {
        let configuration = Configuration(environment: environment)
        var problems: [String] = []
        let settings = MailSettings.read(configuration, &problems)
        do { try configuration.check() } catch { problems += error.problems }
        return (settings, problems)
    }

    private func relay(_ url: String, password: String? = nil) -> MailRelay? {
        var environment = ["SMTP_URL": url, "SMTP_FROM": "atlas@example.com"]
        environment["SMTP_PASSWORD"] = password
        return read(environment).settings?.relay
    }

    @Test func `without a relay there are no mails, and nothing is wrong`() {
        let (settings, problems) = read(["SMTP_FROM": "nobody", "SMTP_PASSWORD": "x"])
        #expect(settings == nil && problems.isEmpty)
    }

    @Test func `TLS is there unless plain text is asked for in so many words`() {
        #expect(relay("smtp://mail.example.com")?.security == .startTLSRequired)
        #expect(relay("smtp://mail.example.com")?.port == 587)
        #expect(relay("smtps://mail.example.com/")?.security == .implicit)
        #expect(relay("smtps://mail.example.com/")?.port == 465)
        #expect(relay("smtp://127.0.0.1:2525?tls=none")?.security == MailRelay.Security.none)
        #expect(relay("smtp://127.0.0.1:2525?tls=none")?.port == 2_525)
    }

    @Test func `a user comes with a password, which is no part of the address`() {
        let known = relay("smtp://omar%40example.com@mail.example.com:25", password: "p:@/")
        #expect(known?.credentials == MailRelay.Credentials(user: "omar@example.com", password: "p:@/"))
        #expect(known?.host == "mail.example.com" && known?.port == 25)
    }

    static let wrong = [
        "smtp://user:secret@mail.example.com", "smtp://user@mail.example.com", "http://mail.example.com",
        "smtp://mail.example.com:0", "smtp://mail.example.com:65536", "smtp://mail.example.com:x",
        "smtp://mail.example.com/path", "smtp://mail.example.com?tls=maybe", "smtps://127.0.0.1?tls=none",
        "smtp://a_b", "smtp://", "smtp://@mail.example.com", "smtp://%zz@mail.example.com",
    ]

    @Test(arguments: wrong)
    func `what is no relay is said without its value`(url: String) {
        let (settings, problems) = read(["SMTP_URL": url, "SMTP_FROM": "atlas@example.com"])
        #expect(settings == nil)
        #expect(problems.count == 1 && problems[0].hasPrefix("SMTP_URL"))
        #expect(!problems[0].contains("secret"))
    }

    @Test func `a password without a user, and a sender that is none`() {
        #expect(relay("smtp://mail.example.com", password: "x") == nil)
        let (settings, problems) = read(["SMTP_URL": "smtp://mail.example.com", "SMTP_FROM": "a\u{0}b@c"])
        #expect(settings == nil && problems.count == 1 && problems[0].hasPrefix("SMTP_FROM"))
    }

    @Test func `plain text with a password is refused`() {
        #expect(relay("smtp://user@127.0.0.1?tls=none", password: "x") == nil)
    }
}
