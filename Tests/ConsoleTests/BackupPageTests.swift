import FoundationEssentials
import Fixtures
import JSON
import Operations
import Postgres
import Store
import Testing
import WebFixtures

@testable import Console

/// Looking at backups, comparing them, and restoring from them.
struct BackupPageTests {
    private static let before: [ConsoleStage.Policy] = [
        .init(id: "1", name: "Windows 11", document: ["rule": "(os -eq 11)", "platform": "windows"]),
        .init(id: "2", name: "Retired", document: ["rule": "x"]),
        .init(id: "3", name: "Same", document: ["rule": "y"]),
    ]
    private static let after: [ConsoleStage.Policy] = [
        .init(id: "1", name: "Windows 11", document: ["rule": "(os -ge 11)", "platform": "windows"]),
        .init(id: "3", name: "Same", document: ["rule": "y"]),
        .init(id: "4", name: "Fresh", document: ["rule": "z"]),
    ]

    private static func routes(_ set: RunID, _ item: UUID) -> [BackupRoute] {
        [.list, .set(set), .item(set, item), .comparison, .preview(set), .restore(set)]
    }

    /// Each route stands in the matrix: a new one does not compile without its rows.
    private static func rows(_ route: BackupRoute, _ earlier: RunID, _ world: World) -> [MatrixRow] {
        switch route {
        case .list:
            return [
                .page("/admin/backups", .somewhere(.providerView)),
                .page("/admin/backups?tenant=\(world.tenant)", .here(.providerView)),
            ]
        case .set(let set): return [.page("/admin/backups/\(set)", .here(.providerView))]
        case .item(let set, let item):
            return [.page("/admin/backups/\(set)/\(item.uuidString.lowercased())", .here(.providerView))]
        case .comparison:
            return [
                .page("/admin/backups/compare?set=\(earlier)&set=\(earlier)", .always(422)),
                .page("/admin/backups/compare", .always(422)),
            ]
        case .preview(let set):
            return [.action("/admin/backups/\(set)", [], .here(.restoreExecute, 422))]
        case .restore(let set):
            return [.action("/admin/backups/\(set)/restore", [], .here(.restoreExecute, 422))]
        }
    }

    @Test func everybodySeesAndDoesWhatTheyMay() async throws {
        try await ConsoleStage.with { stage in
            let earlier = try await stage.backup(of: Self.before)
            let later = try await stage.backup(of: Self.after)
            let item = try #require(UUID(uuidString: try await stage.items(of: later)["Fresh"]!))
            let visitors = try await Visitor.all(stage)
            let routes = Self.routes(later, item).map(Route.backups)
            let asked = try await MatrixRow.ask(routes, as: visitors, stage) { route in
                guard case .backups(let route) = route else { return [] }
                return Self.rows(route, earlier, stage.world)
            }
            #expect(asked == visitors.count * 8)
            // Whoever may see one of two sets only sees no comparison.
            let foreign = try await stage.backup(of: Self.before, at: 1)
            for visitor in visitors {
                let browser = try await stage.browser(of: visitor.id)
                let both = try await browser.get("/admin/backups/compare?set=\(earlier)&set=\(later)")
                #expect(both.status == (visitor.role == nil ? 404 : 200), "\(visitor.name)")
                let mixed = try await browser.get("/admin/backups/compare?set=\(later)&set=\(foreign)")
                #expect(mixed.status == (visitor.everywhere == nil || visitor.isForeign ? 404 : 422))
            }
            #expect(try await stage.runs().isEmpty)
        }
    }

    @Test func theListSaysWhatChanged() async throws {
        try await ConsoleStage.with { stage in
            let first = try await stage.backup(of: Self.before)
            let second = try await stage.backup(of: Self.before)
            let third = try await stage.backup(of: Self.after)
            let browser = try await stage.browser(of: .readonly)
            let page = try await browser.get("/admin/backups").text
            let compared = page.matches(of: #/compare\?set=([^&"]+)&amp;set=([^"]+)">([^<]+)</#).map {
                [String($0.1), String($0.2), String($0.3)]
            }
            #expect(
                compared == [
                    ["\(second)", "\(third)", "what changed"], ["\(first)", "\(second)", "nothing changed"],
                ])
        }
    }

    @Test func twoSetsAreComparedMemberByMember() async throws {
        try await ConsoleStage.with { stage in
            let earlier = try await stage.backup(of: Self.before)
            let later = try await stage.backup(of: Self.after)
            let browser = try await stage.browser(of: .readonly)
            // In whichever order they were ticked.
            for pair in [(earlier, later), (later, earlier)] {
                let page = try await browser.get("/admin/backups/compare?set=\(pair.0)&set=\(pair.1)").text
                #expect(page.contains("1 added, 1 removed, 1 changed"))
                #expect(page.contains("<del>(os -eq 11)</del>") && page.contains("<ins>(os -ge 11)</ins>"))
                #expect(page.contains(">Retired<") && page.contains(">Fresh<") && !page.contains(">Same<"))
                #expect(!page.contains(">windows<"))
            }
            let part = try await stage.backup(
                of: [], kinds: [.assignmentFilter, .scopeTag], isComplete: false)
            let page = try await browser.get("/admin/backups/compare?set=\(later)&set=\(part)").text
            #expect(page.contains("which are left out: scope tag") && page.contains("only a part"))
        }
    }

    @Test func whatIsInASetIsFound() async throws {
        try await ConsoleStage.with { stage in
            let set = try await stage.backup(of: Self.before)
            let browser = try await stage.browser(of: .readonly)
            let page = try await browser.get("/admin/backups/\(set)?q=wind").text
            #expect(page.contains(">Windows 11<") && !page.contains(">Retired<"))
            let item = try #require(try await stage.items(of: set)["Windows 11"])
            let document = try await browser.get("/admin/backups/\(set)/\(item)").text
            #expect(document.contains("(os -eq 11)"))
            #expect(try await browser.get("/admin/backups/\(set)/\(UUID().uuidString)").status == 404)
            // Who may not restore reads why; who may does not.
            #expect(page.contains("Your role here does not include restore.execute."))
            let manager = try await stage.browser(of: .manager)
            #expect(try await manager.get("/admin/backups/\(set)").text.contains("See what would be done"))
            let part = try await stage.backup(of: Self.before, isComplete: false)
            #expect(try await manager.get("/admin/backups/\(part)").text.contains("It is only a part"))
        }
    }

    /// First a run that writes nothing; then, when it was seen, the same items for real: exactly those, and once.
    @Test func aRestoreIsSeenBeforeItIsDone() async throws {
        try await ConsoleStage.with { stage in
            let set = try await stage.backup(of: Self.before)
            try await openWriteGate(stage)
            let item = try #require(try await stage.items(of: set)["Windows 11"])
            let browser = try await stage.browser(of: .manager)
            let form = [("item", item), ("extent", "content"), ("key", "k")]
            let began = try await browser.post("/admin/backups/\(set)", form)
            _ = try await browser.post("/admin/backups/\(set)", form)
            let preview = try #require(try await stage.runs().first)
            #expect(try await stage.runs().count == 1)
            #expect(began.location == "/admin/operations/\(preview)")
            let chosen: JSON = [
                "assignments": "leave", "backup_id": .string("\(set)"), "items": [.string(item)],
                "mode": "preview",
            ]
            #expect(try await parameters(stage, preview) == chosen.canonicalBytes)
            // Before it has ended there is nothing to restore by.
            let restore = "/admin/backups/\(set)/restore"
            #expect(try await browser.post(restore, [("preview", "\(preview)")]).status == 422)
            try await end(stage, preview, item)
            let page = try await browser.get("/admin/operations/\(preview)").text
            #expect(page.contains("Restore these…") && page.contains("/admin/backups/\(set)\""))
            let question = try await browser.post(restore, [("preview", "\(preview)")])
            #expect(question.status == 200)
            #expect(question.text.contains("It would be created with a new id."))
            #expect(try await stage.runs().count == 1)
            for _ in 0..<2 {
                let done = try await browser.post(
                    restore, [("preview", "\(preview)"), ("confirm", "yes")])
                #expect(done.status == 303)
            }
            let runs = try await stage.runs()
            #expect(runs.count == 2)
            var written = chosen.object!
            written["mode"] = "execute"
            #expect(try await parameters(stage, runs[1]) == JSON.object(written).canonicalBytes)
            // Of another set it is no preview.
            let other = try await stage.backup(of: Self.before)
            #expect(
                try await browser.post("/admin/backups/\(other)/restore", [("preview", "\(preview)")]).status
                    == 422)
        }
    }

    @Test func aPreviewWithNothingToDoOffersNothing() async throws {
        try await ConsoleStage.with { stage in
            let set = try await stage.backup(of: Self.before)
            try await openWriteGate(stage)
            let browser = try await stage.browser(of: .manager)
            let began = try await browser.post("/admin/backups/\(set)", [("all", "yes")])
            let notice = began.cookie("notice").flatMap(SessionSeal(browser.session!).opened)
            let preview = try #require(try await stage.runs().first, "\(notice ?? "")")
            try await end(stage, preview, nil)
            let page = try await browser.get("/admin/operations/\(preview)").text
            #expect(page.contains("nothing has to be") && !page.contains("Restore these…"))
        }
    }

    /// A start may name any set; nobody reads of one that is another tenant's.
    @Test func aSetOfAnotherTenantIsNotShownWithARun() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            _ = try await stage.start(browser)
            let run = try await stage.runs()[0]
            for (place, isShown) in [(0, true), (1, false)] {
                let set = try await stage.backup(of: Self.before, at: place)
                let parameters: JSON = ["backup_id": .string("\(set)"), "items": "all", "mode": "preview"]
                _ = try await stage.pool.query(
                    "UPDATE runs SET operation = 'restore.execute', parameters = $2::jsonb WHERE id = $1::uuid",
                    [.uuid(run.uuid), .json(parameters.text)])
                let page = try await browser.get("/admin/operations/\(run)")
                #expect(page.status == 200)
                #expect(page.text.contains("href=\"/admin/backups/\(set)\"") == isShown)
            }
        }
    }

    private func openWriteGate(_ stage: ConsoleStage) async throws {
        _ = try await stage.pool.query(
            "UPDATE tenants SET write_gate_open = true, write_gate_checked_at = now(), write_gate_healthy = true"
        )
    }

    private func parameters(_ stage: ConsoleStage, _ run: RunID) async throws -> [UInt8] {
        let text = try await stage.pool.query(
            "SELECT parameters::text FROM runs WHERE id = $1::uuid", [.uuid(run.uuid)])[0].text(0)
        return try JSON(parsing: Array(text.utf8)).canonicalBytes
    }

    /// The run as its consumer would leave it: it has seen that `item` has to be created, or that nothing has to be done.
    private func end(_ stage: ConsoleStage, _ run: RunID, _ item: String?) async throws {
        let counts: JSON =
            item == nil ? ["total": 3, "unchanged": 3] : ["total": 1, "to_create": 1, "to_update": 0]
        _ = try await stage.pool.pipeline([
            (
                """
                UPDATE runs SET state = 'completed', outcome = 'succeeded', attempt = 1, started_at = now(),
                    completed_at = now(), counts = $2::jsonb WHERE id = $1::uuid
                """, [.uuid(run.uuid), .json(counts.text)]
            ),
            (
                """
                INSERT INTO run_items (run_id, item_key, state, result, label, detail)
                SELECT $1::uuid, $2, 'planned', 'create', 'assignment filter «Windows 11»',
                       'It would be created with a new id.' WHERE $2 <> ''
                """, [.uuid(run.uuid), .text(item ?? "")]
            ),
        ])
    }
}
