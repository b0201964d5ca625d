import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import Store
import Testing
import Waiting
import WebFixtures

@testable import Console

/// The audit as people search, export and verify it.
struct AuditPageTests {
    private func fill(_ stage: ConsoleStage) async throws {
        let changes = AuthorityChanges(pool: stage.pool, makeID: { UUID() })
        let world = stage.world
        _ = try await changes.grant(
            user: world.stranger, tenant: world.tenant, role: .operator, in: world.workspace,
            by: .user(world.owner))
        _ = try await changes.apply(
            .freeze(.tenant(world.tenants[1])), in: world.workspace, by: .user(world.people[.manager]!))
        _ = try await stage.start(try await stage.browser(of: .operator))
    }

    /// The words of the column «What» of the rows.
    private func words(_ page: CollectedResponse) -> [String] {
        page.text.matches(of: #/<span title="[a-z._]+">([^<]+)</span>/#).map { String($0.1) }
    }

    @Test func recordsAreFoundAndReadLikeSentences() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            try await fill(stage)
            let browser = try await stage.browser(of: .owner)
            func find(_ query: String) async throws -> CollectedResponse {
                try await browser.get("/admin/audit?\(query)")
            }
            let given = try await find("action=access.granted")
            #expect(words(given) == ["access given"])
            // The person has a name, not an id, and role and place are there.
            #expect(
                given.text.contains(
                    "<dt>person:</dt> <dd><a href=\"/admin/access/\(world.stranger)\">stranger</a>"))
            #expect(
                given.text.contains("<dt>role:</dt> <dd>operator</dd>")
                    && given.text.contains(">Tenant 1</a>"))
            let frozen = ["change of access took effect", "frozen"]
            #expect(try await words(find("who=manager")) == frozen)
            #expect(try await words(find("who=\(world.people[.manager]!)")) == frozen)
            #expect(try await words(find("tenant=\(world.tenants[1])")) == frozen)
            let run = try await stage.runs()[0]
            #expect(try await words(find("run=\(run)")) == ["run queued"])
            #expect(try await words(find("since=2020-01-01&until=2020-01-02")).isEmpty)
            let today = "\(Timestamp(Date()).description.prefix(10))"
            #expect(try await words(find("since=\(today)&until=\(today)&action=freeze.set")) == ["frozen"])
            for (query, fault) in [
                ("who=nobody-like-that", "not exactly one person"), ("run=x", "takes a run"),
                ("since=yesterday", "is not a day"), ("action=x", "no such action"),
            ] {
                let page = try await find(query)
                #expect(page.status == 200 && page.text.contains(fault), "\(query)")
                #expect(words(page).isEmpty, "\(query)")
            }
        }
    }

    @Test func pagesFollowEachOther() async throws {
        try await ConsoleStage.with { stage in
            _ = try await stage.pool.query(
                """
                INSERT INTO audit (action, workspace_id, details)
                SELECT 'test.' || n, $1::uuid, '{}' FROM generate_series(1, 120) n
                """, [.uuid(stage.world.workspace.uuid)])
            let browser = try await stage.browser(of: .owner)
            var path = "/admin/audit?until=2999-01-01"
            var seen: [String] = []
            for _ in 0..<3 {
                let page = try await browser.get(path)
                seen += page.text.matches(of: #/title="test.([0-9]+)"/#).map { String($0.1) }
                guard let next = page.text.firstMatch(of: #/<a href="([^"]+)" rel="next">/#) else { break }
                path = String(next.1.replacing("&amp;", with: "&").replacing("&#61;", with: "="))
            }
            #expect(seen == (1...120).reversed().map { "\($0)" })
            let file = try await browser.get("/admin/audit.json?until=2999-01-01")
            #expect(file.headers[.contentType] == "application/x-ndjson")
            let lines = try file.text.split(separator: "\n").map { try JSON(parsing: String($0)) }
            let actions = lines.compactMap { $0["action"]?.string }.filter { $0.hasPrefix("test.") }
            #expect(actions == (1...120).reversed().map { "test.\($0)" })
            #expect(lines.allSatisfy { $0["record_id"]?.integer != nil && $0["at"]?.string != nil })
        }
    }

    @Test func theChainIsVerifiedAndTheFirstBadRecordNamed() async throws {
        try await ConsoleStage.with { stage in
            try await fill(stage)
            // Transactions in other databases of the server hold the horizon, too: it is waited for.
            try await eventually("all is sealed") {
                _ = try await AuditSeals(pool: stage.pool).seal()
                let sealed = try await stage.count(
                    "SELECT coalesce(sum(cardinality(ids)), 0)::int FROM audit_blocks")
                return try await sealed >= stage.count("SELECT count(*)::int FROM audit")
            }
            let browser = try await stage.browser(of: .owner)
            let good = try await browser.post("/admin/audit", [])
            #expect(good.status == 200 && good.text.contains("The whole audit is as it was recorded."))
            #expect(good.text.firstMatch(of: #/<code>[0-9a-f]{64}</code>/#) != nil)
            try await stage.pool.transaction { transaction in
                _ = try await transaction.query("SET LOCAL session_replication_role = replica")
                _ = try await transaction.query(
                    "UPDATE audit SET actor_id = NULL WHERE action = 'access.granted'")
            }
            let bad = try await browser.post("/admin/audit", [])
            #expect(bad.text.contains("The audit is not as it was recorded."))
            #expect(bad.text.contains("(access given, 20") && bad.text.contains("was altered."))
        }
    }

    @Test func aTenantsAuditorSeesOnlyThatTenant() async throws {
        try await ConsoleStage.with { stage in
            try await fill(stage)
            let person = try await Visitor.enter(stage, "Tina", tenant: stage.world.tenants[1], .manager)
            let browser = try await stage.browser(of: person)
            let page = try await browser.get("/admin/audit")
            #expect(words(page) == ["change of access took effect", "frozen"])
            #expect(!page.text.contains("Tenant 1"))
            #expect(page.text.contains("Only those who see the audit of the whole workspace"))
            let file = try await browser.get("/admin/audit.json")
            #expect(file.text.split(separator: "\n").count == 2)
        }
    }

    @Test func detailsAreReadOneByOne() {
        let id = UUID()
        let details = """
            {"user_id": "\(id.uuidString.lowercased())", "before": {"display_name": "A"}, "open": true, "n": 12345,
             "decision": {"decision": "denied", "reason_code": "capability_missing", "checks": {"x": "passed"}},
             "operation": "inventory.sync", "expires_at": "2026-11-22T12:34:02.107961+00:00", "tenant_ids": null, "list": ["a", "b"], "long": "\(String(repeating: "x", count: 300))"}
            """
        let read = AuditDetail.read(
            details, [id: .init(kind: .user, name: "Omar")], linksPeople: true)
        let texts = Dictionary(uniqueKeysWithValues: read.map { ($0.name, $0.text) })
        #expect(texts["person"] == "Omar" && texts["before › display name"] == "A")
        #expect(texts["write gate open"] == "yes" && texts["n"] == "12,345" && texts["list"] == "a, b")
        #expect(texts["long"]?.count == 201 && texts["tenants"] == nil)
        #expect(texts["decision"] == "denied" && texts["operation"] == "Inventory sync")
        #expect(texts["decision › reason"]?.contains("no longer allows this operation") == true)
        #expect(texts["expires at"] == "2026-11-22 12:34:02 UTC" && read.count == 10)
        #expect(read.first { $0.name == "person" }?.href == "/admin/access/\(UserID(id))")
        #expect(AuditDetail.ids(details) == [id])
        #expect(AuditDetail.read("not json", [:], linksPeople: true).isEmpty)
        #expect(
            AuditDetail.read(details, [id: .init(kind: .user, name: "Omar")], linksPeople: false)
                .allSatisfy { $0.href == nil })
    }
}
