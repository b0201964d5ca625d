import Fixtures
import FoundationEssentials
import Operations
import Postgres
import ServiceKit
import Store
import Testing
import WebFixtures

@testable import Console

/// The visitor's own tokens.
struct TokenPageTests {
    @Test func aTokenIsShownOnceAndRevoked() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let made = try await browser.post(
                "/admin/me",
                [
                    ("change", "make"), ("label", "night <job>"), ("days", "30"),
                    ("capability", "operations.view"), ("capability", "provider.run"),
                    ("tenant", "\(stage.world.tenant)"),
                ])
            #expect(made.status == 200)
            let text = try #require(made.text.firstMatch(of: #/<code>(ta_[A-Za-z0-9_-]+)</code>/#)).1
            let token = try #require(BearerToken(String(text)))
            let principal = try await Principals(pool: stage.pool).authenticate(hash: token.hash)
            #expect(principal?.userID == stage.world.operator)
            #expect(principal?.scope.capabilities == [.operationsView, .providerRun])
            #expect(principal?.scope.tenants == [stage.world.tenant])

            let page = try await browser.get("/admin/me").text
            #expect(!page.contains(text) && page.contains("night &lt;job&gt;"))
            #expect(page.contains("operations.view, provider.run on Tenant 1"))
            // The session is no token of these.
            #expect(!page.contains("console session"))
            let id = try #require(page.firstMatch(of: #/name="token" value="([0-9a-f-]+)"/#)).1
            let fields = [("change", "revoke"), ("token", String(id))]
            // Somebody else's are not there.
            let other = try await stage.browser(of: .owner)
            #expect(try await other.post("/admin/me", fields + [("confirm", "yes")]).status == 404)
            let question = try await browser.post("/admin/me", fields)
            #expect(question.text.contains("Revoke the token «night &lt;job&gt;»?"))
            let reply = try await browser.post("/admin/me", fields + [("confirm", "yes")])
            #expect(reply.status == 303 && reply.location == "/admin/me")
            #expect(try await browser.get("/admin/me").text.contains("revoked"))
            #expect(try await Principals(pool: stage.pool).authenticate(hash: token.hash) == nil)
        }
    }

    @Test func whatWasTypedStays() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .operator)
            let wrong = try await browser.post(
                "/admin/me",
                [
                    ("change", "make"), ("label", "keep me"), ("days", "9999"),
                    ("capability", "operations.view"),
                ])
            #expect(wrong.status == 422)
            #expect(wrong.text.contains("The number of days must be from 1 to 365, or left out."))
            #expect(wrong.text.contains("value=\"keep me\"") && wrong.text.contains("value=\"9999\""))
            #expect(wrong.text.contains("value=\"operations.view\" checked"))
            #expect(try await browser.get("/admin/me").text.contains("You have none."))
        }
    }
}
