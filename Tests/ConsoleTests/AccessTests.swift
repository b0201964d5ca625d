import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing
import WebFixtures

@testable import Console

/// Taking access away and giving it, as a manager does it in the browser.
struct AccessTests {
    private func change(
        _ browser: Browser, _ fields: [(String, String)], isSure: Bool = true
    ) async throws -> CollectedResponse {
        try await browser.post("/admin/access", fields + (isSure ? [("confirm", "yes")] : []))
    }

    /// The page that a change leads to.
    private func told(_ reply: CollectedResponse, _ browser: Browser) async throws -> CollectedResponse {
        #expect(reply.status == 303)
        return try await browser.get(try #require(reply.location))
    }

    @Test func aRevokeIsForetoldThenDoneAndProved() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            let browser = try await stage.browser(of: .manager)
            _ = try await stage.start(try await stage.browser(of: .operator))
            let run = try await stage.runs()[0]
            let fields = [("change", "revoke"), ("user", "\(world.operator)")]

            let question = try await change(browser, fields, isSure: false)
            #expect(question.status == 200)
            #expect(question.text.contains("Take operator&#39;s access to the whole workspace away?"))
            #expect(question.text.contains("It would stop 1 run.") && question.text.contains("ends blocked"))
            #expect(question.text.contains("/admin/operations/\(run)"))
            #expect(
                try await stage.count("SELECT count(*)::int FROM memberships WHERE revoked_at IS NOT NULL")
                    == 0)

            let reply = try await change(browser, fields)
            #expect(reply.location?.hasPrefix("/admin/access/took-effect?answer=") == true)
            #expect(reply.cookie("notice") == nil)
            let told = try await told(reply, browser)
            #expect(told.status == 200)
            for words in ["was taken away", "In effect", "Off the wire", "/admin/access/\(world.operator)"] {
                #expect(told.text.contains(words), "\(words)")
            }
            #expect(!told.text.contains("in doubt"))
            #expect(
                try await stage.count("SELECT count(*)::int FROM memberships WHERE revoked_at IS NOT NULL")
                    == 1)
            // Another session can't show it, and nobody can make one up.
            let other = try await stage.browser(of: .manager)
            #expect(try await other.get(reply.location!).status == 404)
            // Once more there is nothing to take away.
            #expect(try await change(browser, fields, isSure: false).status == 404)
        }
    }

    @Test func aCallInDoubtIsNamedWithItsRun() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            let browser = try await stage.browser(of: .manager)
            _ = try await stage.start(try await stage.browser(of: .operator))
            let run = try await stage.runs()[0]
            _ = try await stage.pool.query(
                """
                INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id, connection_id,
                                          user_id, grant_id, call, opened_at, deadline)
                SELECT gen_random_uuid(), r.id, 1, gen_random_uuid(), r.workspace_id, r.tenant_id, r.connection_id,
                       m.user_id, m.id, 'GET /devices', now() - interval '9 minutes', now() - interval '8 minutes'
                FROM runs r JOIN memberships m ON m.user_id = r.initiator_id WHERE r.id = $1::uuid
                """, [.uuid(run.uuid)])
            let told = try await told(
                change(browser, [("change", "disable"), ("user", "\(world.operator)")]), browser)
            #expect(told.text.contains("One call is in doubt"))
            #expect(told.text.contains("GET /devices") && told.text.contains("/admin/operations/\(run)"))
            #expect(told.text.contains("In effect") && !told.text.contains("Off the wire"))
        }
    }

    @Test func whatIsGivenIsGivenAtOnce() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            let browser = try await stage.browser(of: .owner)
            let person = "/admin/access/\(world.stranger)"
            let grant = [
                ("change", "grant"), ("user", "\(world.stranger)"), ("tenant", "\(world.tenant)"),
                ("role", "operator"),
            ]
            let given = try await change(browser, grant, isSure: false)
            #expect(given.status == 303 && given.location == person && given.cookie("notice") != nil)
            #expect(
                try await browser.get(person).text.contains(
                    "<td class=\"name\">Tenant 1</td><td>operator</td>"))
            // Twice is refused, in the Starter's words.
            let twice = try await change(browser, grant, isSure: false)
            let notice = twice.cookie("notice").flatMap(SessionSeal(browser.session!).opened).flatMap(
                Notice.init)
            #expect(notice?.tone == .bad && notice?.text.contains("has access there already") == true)
            // To whoever holds the whole workspace it takes something away.
            let over = try await change(
                browser,
                [
                    ("change", "grant"), ("user", "\(world.operator)"), ("tenant", "\(world.tenant)"),
                    ("role", "readonly"),
                ], isSure: false)
            #expect(over.status == 200 && over.text.contains("stands before the one on the whole workspace"))

            _ = try await change(browser, [("change", "disable"), ("user", "\(world.stranger)")])
            #expect(try await browser.get(person).text.contains("Let stranger act again"))
            #expect(try await browser.get("/admin/access?q=STRANG").text.contains("disabled"))
            let back = try await change(
                browser, [("change", "enable"), ("user", "\(world.stranger)")], isSure: false)
            #expect(back.status == 303 && back.location == person)
            #expect(try await browser.get(person).text.contains("Disable…"))
        }
    }

    @Test func aTenantsManagerSeesAndGivesOnlyThere() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            let manager = try await Visitor.enter(stage, "Tina", tenant: world.tenant, .manager)
            _ = try await Visitor.enter(stage, "Theo", tenant: world.tenants[1], .operator)
            let browser = try await stage.browser(of: manager)
            let list = try await browser.get("/admin/access").text
            #expect(list.contains("Tenant 1: manager") && !list.contains("Tenant 2"))
            let here = try await browser.get("/admin/access?tenant=\(world.tenant)").text
            #expect(here.contains("Tina") && !here.contains("Theo") && here.contains(">owner<"))
            #expect(!here.contains(">stranger<"))
            let owner = try await browser.get("/admin/access/\(world.owner)").text
            #expect(owner.contains("Only those who manage access to the whole workspace can change this."))
            #expect(!owner.contains("Tenant 2") && !owner.contains("Take away…"))
            #expect(owner.contains("<option value=\"\(world.tenant)\">Tenant 1</option>"))
        }
    }

    @Test func whatIsFrozenSaysSoAndIsUnfrozen() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            let browser = try await stage.browser(of: .manager)
            let connection = ("connection", "\(world.connection)")
            let tenant = ("tenant", "\(world.tenant)")
            for (place, page, banner) in [
                ([connection], "/admin/provider-connections/\(world.connection)", "It is frozen"),
                ([tenant], "/admin/tenants/\(world.tenant)", "It is frozen"),
                ([], "/admin/access", "The workspace is frozen"),
            ] {
                let told = try await told(change(browser, [("change", "freeze")] + place), browser)
                #expect(told.text.contains("is frozen") && told.text.contains("Off the wire"))
                #expect(try await browser.get(page).text.contains(banner))
                #expect(try await browser.get("/admin").text.contains(page))
                let lifted = try await change(browser, [("change", "unfreeze")] + place, isSure: false)
                #expect(lifted.status == 303 && lifted.location == page)
                #expect(try await !browser.get(page).text.contains(banner))
            }
        }
    }

    @Test func aTenantsStateAndGateAreChanged() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let tenant = ("tenant", "\(stage.world.tenant)")
            let page = "/admin/tenants/\(stage.world.tenant)"
            let opened = try await change(
                browser, [("change", "gate"), ("on", "yes"), tenant], isSure: false)
            #expect(opened.status == 303 && opened.location == page)
            #expect(try await browser.get(page).text.contains("open, but no connection check has been made"))
            let asked = try await change(browser, [("change", "gate"), ("on", "no"), tenant], isSure: false)
            #expect(asked.status == 200 && asked.text.contains("Close the write gate of Tenant 1?"))
            _ = try await change(browser, [("change", "gate"), ("on", "no"), tenant])
            #expect(try await browser.get(page).text.contains("closed: changes are switched off"))
            _ = try await change(browser, [("change", "operability"), ("operability", "archived"), tenant])
            #expect(try await browser.get(page).text.contains("archived"))
            let back = try await change(
                browser, [("change", "operability"), ("operability", "operable"), tenant], isSure: false)
            #expect(back.status == 303)
            #expect(try await browser.get(page).text.contains("Archive…"))
        }
    }
}
