import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing
import WebFixtures

@testable import Console

/// Choosing what is changed in bulk, looking at what it would be, and starting exactly that.
struct BulkPageTests {
    /// 30 policies of two kinds and 60 devices, a filter and two groups, all of the first connection.
    private func insert(_ stage: ConsoleStage) async throws {
        let place: [Parameter] = [.uuid(stage.world.tenant.uuid), .uuid(stage.world.connection.uuid)]
        _ = try await stage.pool.pipeline([
            (
                """
                INSERT INTO inventory_policies (tenant_id, connection_id, kind, policy_id, name, type, seen_run,
                                                changed_run, gone_at, gone_run)
                SELECT $1::uuid, $2::uuid, kind, 'p' || n, CASE WHEN n <> 9 THEN 'Wi-Fi ' || n END, 'type' || n % 2,
                       gen_random_uuid(), gen_random_uuid(), CASE WHEN n = 8 THEN now() END,
                       CASE WHEN n = 8 THEN gen_random_uuid() END
                FROM generate_series(1, 30) n, unnest(ARRAY['device_configuration', 'device_script']) kind
                """, place
            ),
            (
                """
                INSERT INTO inventory_policies (tenant_id, connection_id, kind, policy_id, name, seen_run, changed_run)
                VALUES ($1::uuid, $2::uuid, 'assignment_filter', '0f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c11', 'Only laptops',
                        gen_random_uuid(), gen_random_uuid())
                """, place
            ),
            (
                """
                INSERT INTO inventory_devices (tenant_id, connection_id, device_id, name, operating_system,
                                               compliance_state, seen_run, changed_run)
                SELECT $1::uuid, $2::uuid, 'd' || n, 'Laptop ' || n, CASE WHEN n <= 55 THEN 'Windows' ELSE 'iOS' END,
                       'compliant', gen_random_uuid(), gen_random_uuid()
                FROM generate_series(1, 60) n
                """, place
            ),
            (
                """
                INSERT INTO directory_groups (tenant_id, connection_id, group_id, display_name, folded_name, seen_run,
                                              changed_run)
                SELECT $1::uuid, $2::uuid, '1f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c1' || n, name, lower(name),
                       gen_random_uuid(), gen_random_uuid()
                FROM unnest(ARRAY['All staff', 'Finance']) WITH ORDINALITY AS g (name, n)
                """, place
            ),
            (
                "UPDATE tenants SET write_gate_open = true, write_gate_checked_at = now(), write_gate_healthy = true",
                []
            ),
        ])
    }

    private func wish(_ stage: ConsoleStage, _ type: OperationType) -> [(String, String)] {
        [("operation", type.rawValue), ("connection", "\(stage.world.connection)")]
    }

    private func choice(_ page: CollectedResponse) throws -> String {
        String(try #require(page.text.firstMatch(of: #/name="choice" value="([^"]+)"/#)).1)
    }

    private func notice(_ reply: CollectedResponse, _ browser: Browser) throws -> Notice {
        try #require(
            reply.cookie("notice").flatMap(SessionSeal(browser.session!).opened).flatMap(Notice.init))
    }

    @Test func whatIsStartedIsWhatWasShown() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .manager)
            let look = try await browser.post(
                "/admin/bulk/new",
                wish(stage, .policyBulkDelete) + [
                    ("kind", "device_configuration"), ("name_contains", "wi-fi 1"), ("type", "type1"),
                    ("step", "found"),
                ])
            #expect(look.status == 200)
            #expect(look.text.contains("<h1>6 policies would be deleted</h1>"), "1, 11, 13, 15, 17, 19")
            #expect(
                look.text.contains(
                    "policies of the kind «device configuration» with «wi-fi 1» in their name, type «type1»"))
            #expect(look.text.contains("<li>Wi-Fi 11</li>") && !look.text.contains("<li>Wi-Fi 12</li>"))
            #expect(try await stage.runs().isEmpty)

            let choice = try choice(look)
            for typed in [nil, "7", "six"] {
                let refused = try await browser.post(
                    "/admin/bulk", [("choice", choice)] + (typed.map { [("typed", $0)] } ?? []))
                #expect(refused.status == 422 && refused.text.contains("type 6, the number of policies"))
            }
            #expect(try await stage.runs().isEmpty)
            async let first = browser.post("/admin/bulk", [("choice", choice), ("typed", "6")])
            async let second = browser.post("/admin/bulk", [("choice", choice), ("typed", "6")])
            for reply in [try await first, try await second] {
                #expect(reply.status == 303 && reply.location == "/admin/bulk")
                let notice = try notice(reply, browser)
                #expect(notice.text == "Bulk deletion of policies: queued.")
                #expect(notice.link?.href == "/admin/operations/\(try await stage.runs()[0])")
            }
            #expect(try await stage.runs().count == 1)
            let stored = try await stage.pool.query("SELECT parameters::text FROM runs")[0].text(0)
            #expect(
                try JSON(parsing: stored).canonicalBytes
                    == ([
                        "kind": "device_configuration",
                        "filter": ["name_contains": "wi-fi 1", "type": "type1"],
                    ] as JSON).canonicalBytes)
            let overview = try await browser.get("/admin/bulk").text
            #expect(overview.contains("Bulk deletion of policies") && overview.contains("queued"))
        }
    }

    @Test func whatChangedSinceIsShownAgain() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .manager)
            let look = try await browser.post(
                "/admin/bulk/new",
                wish(stage, .deviceBulkSync) + [("operating_system", "iOS"), ("step", "found")])
            #expect(look.text.contains("5 devices would be asked to sync"))
            _ = try await stage.pool.query(
                "UPDATE inventory_devices SET gone_at = now(), gone_run = seen_run WHERE device_id = 'd60'")
            let again = try await browser.post("/admin/bulk", [("choice", try choice(look))])
            #expect(again.status == 422 && again.text.contains("4 devices would be asked to sync"))
            #expect(again.text.contains("It would be something else than before by now"))
            #expect(try await stage.runs().isEmpty)
            let done = try await browser.post("/admin/bulk", [("choice", try choice(again))])
            #expect(done.status == 303)
            #expect(try await stage.runs().count == 1)
        }
    }

    /// Somebody else's showing starts nothing, and neither does one that nobody made.
    @Test func onlyTheOwnShowingStarts() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let (browser, other) = (
                try await stage.browser(of: .manager), try await stage.browser(of: .manager)
            )
            let look = try await other.post(
                "/admin/bulk/new", wish(stage, .deviceBulkSync) + [("step", "found")])
            for choice in [try choice(look), "", "x.y"] {
                let reply = try await browser.post("/admin/bulk", [("choice", choice)])
                #expect(reply.status == 422 && reply.text.contains("was not shown in this session"))
            }
            #expect(try await stage.runs().isEmpty)
        }
    }

    @Test func whatWasTickedTravels() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .manager)
            let form = wish(stage, .deviceBulkSync)
            let first = try await browser.post("/admin/bulk/new", form + [("step", "find")])
            #expect(first.text.contains("The inventory has 60 devices."))
            let ids = { (page: CollectedResponse) in
                page.text.matches(of: #/name="item" value="([^"]+)"/#).map { String($0.1) }
            }
            #expect(ids(first).count == 50)
            let cursor = ["after_name", "after_id"].map { name in
                (
                    name,
                    first.text.firstMatch(of: try! Regex("name=\"\(name)\" value=\"([^\"]+)\"")).map {
                        String($0.output[1].substring ?? "")
                    } ?? ""
                )
            }
            let ticked = [("item", ids(first)[0]), ("item", ids(first)[1])]
            let second = try await browser.post(
                "/admin/bulk/new", form + ticked + cursor + [("step", "more")])
            // The ten others, and the two from before.
            #expect(Set(ids(second)).count == 12 && second.text.contains("Ticked, and not in this list: 2"))
            #expect(Set(ids(second)).subtracting(ids(first)).count == 10)
            let ios = try await browser.post(
                "/admin/bulk/new", form + ticked + [("operating_system", "iOS"), ("step", "find")])
            #expect(ios.text.contains("5 devices of 60."))
            #expect(ios.text.contains("<option value=\"iOS\" selected>"))
            let look = try await browser.post(
                "/admin/bulk/new", form + ticked + [("item", "unheard of"), ("step", "ticked")])
            #expect(look.text.contains("2 devices would be asked to sync"))
            #expect(look.text.contains("1 can&#39;t be: the inventory does not have it."))
            #expect(look.text.contains("3 devices that were ticked"))
            // Choosing again begins with what was chosen.
            #expect(Set(ids(look)) == Set(ticked.map(\.1) + ["unheard of"]))
        }
    }

    @Test func whatIsMissingIsTold() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .manager)
            let nothing = try await browser.post(
                "/admin/bulk/new", wish(stage, .deviceBulkSync) + [("step", "ticked")])
            #expect(nothing.status == 422 && nothing.text.contains("Tick at least one"))
            let group = try await browser.post(
                "/admin/bulk/new", wish(stage, .policyBulkAssign) + [("step", "found")])
            #expect(group.status == 422 && group.text.contains("Choose the group."))
            let long = try await browser.post(
                "/admin/bulk/new",
                wish(stage, .deviceBulkSync) + [
                    ("name_contains", String(repeating: "x", count: 257)), ("step", "found"),
                ])
            #expect(long.status == 422 && long.text.contains("Name: it must be a text of 1 to 256"))
            let many = (0...500).map { ("item", "d\($0)") }
            let tooMany = try await browser.post(
                "/admin/bulk/new", wish(stage, .deviceBulkSync) + many + [("step", "ticked")])
            #expect(tooMany.status == 422 && tooMany.text.contains("At most 500 can be ticked"))
            let none = try await browser.post(
                "/admin/bulk/new",
                wish(stage, .deviceBulkSync) + [("name_contains", "nobody"), ("step", "found")])
            #expect(none.status == 200 && none.text.contains("Nothing would be changed"))
            #expect(!none.text.contains("name=\"choice\""))
        }
    }

    /// Another kind has other policies: what was ticked of the first goes.
    @Test func anotherKindBeginsAnew() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .manager)
            let page = try await browser.post(
                "/admin/bulk/new",
                wish(stage, .policyBulkDelete) + [
                    ("kind", "device_script"), ("ticked_kind", "device_configuration"), ("item", "p1"),
                    ("step", "find"),
                ])
            #expect(page.text.contains("<option value=\"device_script\" selected>"))
            #expect(!page.text.contains(" checked"))
        }
    }

    @Test func groupsAndFiltersAreChosenByName() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .manager)
            let form = wish(stage, .policyBulkAssign)
            let group = ("group_id", "1f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c11")
            let found = try await browser.post(
                "/admin/bulk/new", form + [("group_name", "FIN"), group, ("step", "find")])
            // What is chosen stays, whatever is looked for.
            #expect(found.text.contains("Finance") && found.text.contains("All staff"))
            #expect(found.text.contains("value=\"\(group.1)\" checked"))
            #expect(found.text.contains("Only laptops"))
            let look = try await browser.post(
                "/admin/bulk/new",
                form + [
                    ("item", "p1"), group, ("filter_id", "0f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c11"),
                    ("filter_mode", "exclude"), ("step", "ticked"),
                ])
            #expect(look.text.contains("1 policy would be assigned to the group «All staff»"))
            #expect(look.text.contains("all but those of «Only laptops»"))
            #expect(try await browser.post("/admin/bulk", [("choice", try choice(look))]).status == 303)
            let stored = try JSON(
                parsing: try await stage.pool.query("SELECT parameters::text FROM runs")[0].text(0))
            #expect(stored["assignment"]?["group_id"]?.string == group.1)
            #expect(stored["assignment"]?["filter_mode"]?.string == "exclude")
            #expect(stored["items"] == ["p1"])
        }
    }

    /// What would stand in the way is told before, and told again when somebody tries.
    @Test func aClosedGateIsToldBefore() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            _ = try await stage.pool.query("UPDATE tenants SET write_gate_open = false")
            let browser = try await stage.browser(of: .manager)
            let look = try await browser.post(
                "/admin/bulk/new", wish(stage, .deviceBulkSync) + [("step", "found")])
            #expect(look.text.contains("It would be refused now: Changes to this tenant are switched off."))
            let reply = try await browser.post("/admin/bulk", [("choice", try choice(look))])
            let notice = try notice(reply, browser)
            #expect(notice.tone == .bad && notice.text.contains("Changes to this tenant are switched off."))
            #expect(try await stage.runs().isEmpty)
        }
    }

    /// Whatever a tenant's people write into names, it stays text.
    @Test func namesStayText() async throws {
        try await ConsoleStage.with { stage in
            try await insert(stage)
            let browser = try await stage.browser(of: .owner)
            for text in [
                "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=alert(1)>",
                "{{page}}", "{{{csrf}}}", "</option><script>", "<!--", "\u{202E}gpj.exe",
                String(repeating: "W", count: 300),
            ] {
                _ = try await stage.pool.pipeline([
                    ("UPDATE inventory_policies SET name = $1, type = $1", [.text(text)]),
                    (
                        "UPDATE inventory_devices SET name = $1, operating_system = $1, user_principal_name = $1",
                        [.text(text)]
                    ),
                    (
                        "UPDATE directory_groups SET display_name = $1, folded_name = lower($1)",
                        [.text(text)]
                    ),
                ])
                for type in BulkWish.operations {
                    for step in ["find", "found"] {
                        let page = try await browser.post(
                            "/admin/bulk/new",
                            wish(stage, type) + [
                                ("target", "group"), ("group_id", "1f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c11"),
                                ("step", step),
                            ])
                        #expect(page.status == 200)
                        if text.contains(where: { "<>\"'".contains($0) }) {
                            #expect(!page.text.contains(text), "\(type) \(step) shows \(text) as it is")
                        }
                        #expect(page.text.components(separatedBy: "<script").count == 2, "\(type): \(text)")
                    }
                }
            }
        }
    }
}
