import FoundationEssentials
import HTTPTypes
import JSON
import Fixtures
import Operations
import Testing
import WebFixtures

@testable import Console

/// Forms that no page of the session made change nothing.
struct ForgeryTests {
    private static let actions = [
        "/sign-out", "/theme", "/admin/operations", "/admin/operations/start",
        "/admin/operations/\(UUID().uuidString.lowercased())/cancel",
        "/admin/operations/\(UUID().uuidString.lowercased())/retry",
        "/admin/access", "/admin/audit", "/admin/me", "/admin/provider-connections/new",
        "/admin/provider-connections/\(UUID().uuidString.lowercased())/edit",
        "/admin/provider-connections/\(UUID().uuidString.lowercased())/credential",
        "/admin/provider-connections/\(UUID().uuidString.lowercased())/default",
    ]

    @Test(arguments: actions)
    func nothingIsTakenFromElsewhere(path: String) async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            let other = try await stage.browser(of: .owner)
            let fields = [
                ("connection", "\(stage.world.connection)"), ("operation", "provider.connection.check"),
                ("theme", "dark"),
            ]
            let good = ("csrf", browser.formToken)
            let attempts: [(what: String, reply: CollectedResponse)] = [
                ("no token", try await browser.send(path, fields, origin: ConsoleStage.origin)),
                (
                    "another session's token",
                    try await browser.send(
                        path, fields + [("csrf", other.formToken)], origin: ConsoleStage.origin)
                ),
                ("another origin", try await browser.send(path, fields + [good], origin: "http://evil.test")),
                ("an opaque origin", try await browser.send(path, fields + [good], origin: "null")),
                (
                    "the origin with another port",
                    try await browser.send(path, fields + [good], origin: "\(ConsoleStage.origin):81")
                ),
                ("no origin", try await browser.send(path, fields + [good], origin: nil)),
                (
                    "another site",
                    try await browser.send(path, fields + [good], origin: nil, fetchSite: "cross-site")
                ),
            ]
            for (what, reply) in attempts { #expect(reply.status == 403, "\(what): \(reply.status)") }
            #expect(try await stage.runs().isEmpty)
            // The session has not ended either.
            #expect(try await browser.get("/admin").status == 200)
        }
    }

    @Test func aNoticeIsOnlyWhatTheSessionWrote() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            let forged = SessionSeal("another").signed(Notice(.good, "Send money").json.text)
            let response = await browser.response(
                .get, "/admin", headers: [.cookie: "session=\(browser.session!); notice=\(forged)"])
            #expect(try await !CollectedResponse(response).text.contains("Send money"))
        }
    }

    @Test func everyAnswerTellsTheBrowserWhatIsAllowed() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            let nobody = Browser(site: stage.site, session: nil)
            for reply in [
                try await browser.get("/admin"), try await browser.get("/nothing"),
                try await nobody.get("/admin"),
                try await nobody.get("/sign-in"),
            ] {
                let policy = reply.headers[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(reply.headers[.cacheControl] == "no-store")
                #expect(!reply.text.contains(" style=") && !reply.text.contains("<script>"))
            }
        }
    }
}
