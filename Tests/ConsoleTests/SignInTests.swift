import FoundationEssentials
import Postgres
import Fixtures
import HTTPTypes
import Operations
import ServiceKit
import Store
import Testing
import WebFixtures

@testable import Console

/// Signing in with a password, and how long that holds.
struct SignInTests {
    private static let password = "correct horse battery"
    private static let stored = try! PasswordHash(of: password)

    private func account(_ stage: ConsoleStage) async throws {
        try await LocalAccounts(pool: stage.pool).set(
            "Nadia", password: Self.stored.text, of: stage.world.owner, by: .system)
    }

    private func attempt(
        _ stage: ConsoleStage, _ login: String, _ password: String, from address: String = "192.0.2.1",
        back: String = ""
    ) async throws -> CollectedResponse {
        try await Browser(site: stage.site, session: nil, address: address).send(
            "/sign-in", [("login", login), ("password", password), ("back", back)],
            origin: ConsoleStage.origin)
    }

    @Test func whoeverIsNotSignedInIsAsked() async throws {
        try await ConsoleStage.with { stage in
            let nobody = Browser(site: stage.site, session: nil)
            let reply = try await nobody.get("/admin/operations?q=outcome:blocked")
            #expect(reply.status == 303)
            #expect(reply.location == "/sign-in?back=%2Fadmin%2Foperations%3Fq%3Doutcome%3Ablocked")
            let page = try await nobody.get(reply.location!)
            #expect(page.status == 200)
            #expect(page.text.contains(#"name="back" value="/admin/operations?q=outcome:blocked""#))
        }
    }

    @Test func theRightPasswordBeginsASession() async throws {
        try await ConsoleStage.with { stage in
            try await account(stage)
            let reply = try await attempt(stage, "NADIA", Self.password, back: "/admin/tenants")
            #expect(reply.status == 303 && reply.location == "/admin/tenants")
            let secret = try #require(reply.cookie("session"))
            #expect(reply.headers[.setCookie]?.contains("HttpOnly; SameSite=Lax") == true)
            let page = try await Browser(site: stage.site, session: secret).get("/admin/tenants")
            #expect(page.status == 200 && page.text.contains("Tenant 1"))
            // The secret itself stands nowhere.
            #expect(
                try await stage.count("SELECT count(*) FROM api_tokens WHERE idle_seconds IS NOT NULL") == 1)
            #expect(
                try await stage.count("SELECT count(*) FROM audit WHERE action = 'session.began'") == 1)
            // Each sign-in has a session of its own.
            let second = try await attempt(stage, "nadia", Self.password)
            #expect(second.cookie("session") != secret)
        }
    }

    @Test(arguments: ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "/a\r\nb"])
    func nobodyIsLedElsewhere(back: String) async throws {
        try await ConsoleStage.with { stage in
            try await account(stage)
            let reply = try await attempt(stage, "nadia", Self.password, back: back)
            #expect(reply.location == "/admin")
        }
    }

    @Test func whatIsWrongIsNotTold() async throws {
        try await ConsoleStage.with { stage in
            try await account(stage)
            let wrong = try await attempt(stage, "nadia", "not it at all")
            let unknown = try await attempt(stage, "nobody", "not it at all")
            #expect(wrong.status == 401 && unknown.status == 401)
            #expect(
                wrong.text.replacing("nadia", with: "") == unknown.text.replacing("nobody", with: ""))
            #expect(wrong.cookie("session") == nil)
            // A disabled person has no account any more, as far as one can see.
            _ = try await stage.pool.query("UPDATE users SET disabled_at = now()")
            #expect(try await attempt(stage, "nadia", Self.password).status == 401)
        }
    }

    @Test func attemptsAreLimitedAlsoAllAtOnce() async throws {
        try await ConsoleStage.with { stage in
            try await account(stage)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<12 {
                    group.addTask { try await attempt(stage, "nadia", "wrong password \(number)").status }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 401 }.count == 5 && statuses.filter { $0 == 429 }.count == 7)
            // Not even with the right one; from elsewhere, and as somebody else, it goes on.
            let right = try await attempt(stage, "nadia", Self.password)
            #expect(right.status == 429 && right.text.contains("Try again in 1"))
            #expect(try await attempt(stage, "nadia", Self.password, from: "192.0.2.2").status == 303)
            // When the window has passed, it goes on here, too.
            _ = try await stage.pool.query(
                "UPDATE sign_in_attempts SET since = since - interval '901 seconds'")
            #expect(try await attempt(stage, "nadia", Self.password).status == 303)
        }
    }

    @Test func aSessionEnds() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            #expect(try await browser.get("/admin").status == 200)
            // Without use.
            _ = try await stage.pool.query(
                "UPDATE api_tokens SET last_used_at = now() - interval '3601 seconds'")
            #expect(try await browser.get("/admin").location == "/sign-in")
            // After its time.
            let second = try await stage.browser(of: .operator)
            _ = try await stage.pool.query(
                "UPDATE api_tokens SET expires_at = now() WHERE last_used_at IS NULL")
            #expect(try await second.get("/admin").location == "/sign-in")
            // By signing out: and then for good.
            let third = try await stage.browser(of: .operator)
            let out = try await third.post("/sign-out", [])
            #expect(out.location == "/sign-in" && out.cookie("session")?.isEmpty == true)
            #expect(try await third.get("/admin").location == "/sign-in")
            // With the person.
            let fourth = try await stage.browser(of: .operator)
            _ = try await stage.pool.query(
                "UPDATE users SET disabled_at = now() WHERE id = $1::uuid", [.uuid(stage.world.operator.uuid)]
            )
            #expect(try await fourth.get("/admin").location == "/sign-in")
        }
    }

    @Test func useProlongsASession() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            _ = try await stage.pool.query(
                "UPDATE api_tokens SET created_at = now() - interval '3500 seconds'")
            #expect(try await browser.get("/admin").status == 200)
            _ = try await stage.pool.query(
                "UPDATE api_tokens SET created_at = now() - interval '2 hours'")
            #expect(try await browser.get("/admin").status == 200)
        }
    }

    @Test func anOldestSessionGivesWay() async throws {
        try await ConsoleStage.with { stage in
            let first = try await stage.browser(of: .operator)
            var last = first
            for _ in 0..<Sessions.userLimit { last = try await stage.browser(of: .operator) }
            #expect(try await first.get("/admin").location == "/sign-in")
            #expect(try await last.get("/admin").status == 200)
            #expect(
                try await stage.count("SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL")
                    == Sessions.userLimit)
        }
    }
}
