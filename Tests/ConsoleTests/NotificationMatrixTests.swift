import Fixtures
import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import Operations
import Postgres
import Testing
import WebFixtures

@testable import Console

/// Every page and action of notifications and dead letters, asked by everybody who could: outside its scope it is not there
/// (404), inside it takes the capability (403).
struct NotificationMatrixTests {
    /// A request, and how it is answered.
    private struct Row {
        let path: String
        var fields: [(String, String)]?
        let expected: (Visitor) -> Int

        static func page(_ path: String, _ expected: @escaping (Visitor) -> Int) -> Row {
            Row(path: path, expected: expected)
        }

        static func action(
            _ path: String, _ fields: [(String, String)], _ expected: @escaping (Visitor) -> Int
        ) -> Row { Row(path: path, fields: fields, expected: expected) }
    }

    /// About one thing on the first tenant.
    private static func here(_ takes: Capability, _ status: Int = 200) -> (Visitor) -> Int {
        { $0.role.map { $0.holds(takes) ? status : 403 } ?? 404 }
    }

    /// About the visitor's whole workspace.
    private static func everywhere(_ takes: Capability, _ status: Int = 200) -> (Visitor) -> Int {
        { $0.everywhere?.holds(takes) == true ? status : 403 }
    }

    /// About something of the stage's whole workspace.
    private static func ours(_ takes: Capability, _ status: Int = 200) -> (Visitor) -> Int {
        { $0.isForeign ? 404 : $0.everywhere.map { $0.holds(takes) ? status : 403 } ?? 404 }
    }

    private static func everybody(_ status: Int) -> (Visitor) -> Int { { _ in status } }

    /// Each route stands in the matrix: a new one does not compile without its rows.
    private static func rows(
        _ route: NotificationRoute, _ things: NotificationThings, _ run: RunID
    ) -> [Row] {
        let home = "/admin/notifications"
        let webhook = ("webhook", "\(things.webhook)")
        switch route {
        case .inbox:
            return [.page(home, everybody(200)), .page("\(home)?show=blocked", everybody(200))]
        case .news: return [.page("\(home)/news", everybody(200))]
        case .webhooks: return [.page("\(home)/webhooks", everywhere(.notificationsManage))]
        case .deliveries:
            return [
                .page("\(home)/deliveries", everywhere(.notificationsManage)),
                .page("\(home)/deliveries?run=\(run)", here(.operationsView)),
                .page("\(home)/deliveries?webhook=\(things.webhook)", ours(.notificationsManage)),
                .page("\(home)/deliveries?run=x", everybody(404)),
            ]
        case .email: return [.page("\(home)/email", everybody(200))]
        case .markRead:
            return [.action(home, [("until", "2000-01-01T00:00:00.000000Z")], everybody(303))]
        case .changeWebhooks:
            return [
                .action(
                    "\(home)/webhooks", [("change", "add")], everywhere(.notificationsManage, 422)),
                .action("\(home)/webhooks", [("change", "rotate"), webhook], ours(.notificationsManage)),
                .action("\(home)/webhooks", [("change", "remove"), webhook], ours(.notificationsManage)),
                // It is on.
                .action(
                    "\(home)/webhooks", [("change", "enable"), webhook], ours(.notificationsManage, 303)),
                .action("\(home)/webhooks", [("change", "burn"), webhook], ours(.notificationsManage, 422)),
            ]
        case .redeliver:
            // Nobody wants mails: the Starter says so.
            return [
                .action(
                    "\(home)/deliveries", [("delivery", "\(things.delivery)")],
                    here(.notificationsManage, 303)),
                .action("\(home)/deliveries", [("delivery", "\(RunID(UUID()))")], everybody(404)),
            ]
        case .changeEmail:
            return [.action("\(home)/email", [("change", "set"), ("address", "none")], everybody(422))]
        }
    }

    private static func rows(_ route: DeadLetterRoute, _ things: NotificationThings, _ unnamed: UUID) -> [Row]
    {
        let home = "/admin/dead-letters"
        let letter = ("letter", "\(things.deadLetter)")
        switch route {
        case .list:
            return [.page(home) { $0.somewhere?.holds(.operationsView) == true ? 200 : 403 }]
        case .change:
            return [
                .action(home, [("change", "drop"), letter], here(.providerRun)),
                .action(home, [("change", "drop"), ("confirm", "yes"), letter], here(.providerRun, 422)),
                .action(home, [("change", "redrive"), letter], here(.providerRun, 303)),
                // One that names no run is nobody's.
                .action(
                    home, [("change", "redrive"), ("letter", "\(DeadLetterID(unnamed))")], everybody(404)),
                .action(home, [("change", "read"), letter], everybody(422)),
            ]
        }
    }

    @Test func everybodySeesAndDoesWhatTheyMay() async throws {
        try await ConsoleStage.with { stage in
            let owner = try await stage.browser(of: .owner)
            _ = try await stage.start(owner)
            let run = try await stage.runs()[0]
            let things = try await NotificationThings.make(stage, run, for: stage.world.owner)
            let unnamed = try await stage.pool.query(
                """
                INSERT INTO dead_letters (queue, digest, count, size)
                VALUES ('jobs.provider', repeat('0', 64), 1, 10) RETURNING id
                """)[0].uuid(0)
            let routes: [Route] =
                [
                    NotificationRoute.inbox, .news, .webhooks, .deliveries, .email, .markRead,
                    .changeWebhooks,
                    .redeliver, .changeEmail,
                ].map(Route.notifications) + [DeadLetterRoute.list, .change].map(Route.deadLetters)
            let visitors = try await Visitor.all(stage)
            var asked = 0
            for visitor in visitors {
                let browser = try await stage.browser(of: visitor.id)
                _ = try await stage.pool.query(
                    "UPDATE dead_letters SET wish = NULL, wished_by = NULL, wished_at = NULL")
                let before = try await state(stage)
                for route in routes {
                    let rows =
                        switch route {
                        case .notifications(let route): Self.rows(route, things, run)
                        case .deadLetters(let route): Self.rows(route, things, unnamed)
                        default: [Row]()
                        }
                    for row in rows {
                        try await expect(row, route, visitor, browser)
                        asked += 1
                    }
                }
                let isWished = visitor.role?.holds(.providerRun) == true
                #expect(
                    try await stage.count("SELECT count(*) FROM dead_letters WHERE wish = 'redrive'")
                        == (isWished ? 1 : 0))
                _ = try await stage.pool.query(
                    "UPDATE dead_letters SET wish = NULL, wished_by = NULL, wished_at = NULL")
                #expect(try await state(stage) == before, "\(visitor.name)")
            }
            #expect(asked == visitors.count * 24)
        }
    }

    private func expect(_ row: Row, _ route: Route, _ visitor: Visitor, _ browser: Browser) async throws {
        let path = String(row.path.prefix { $0 != "?" })
        #expect(Route(row.fields == nil ? .get : .post, path: path) == route)
        let what = "\(row.path) \(row.fields ?? []) by \(visitor.name)"
        if route == .notifications(.news) {
            // It does not end by itself.
            let reply = await browser.response(.get, row.path)
            #expect(reply.status.code == row.expected(visitor), "\(what): \(reply.status)")
            return
        }
        let reply =
            if let fields = row.fields {
                try await browser.post(row.path, fields)
            } else {
                try await browser.get(row.path)
            }
        #expect(reply.status == row.expected(visitor), "\(what): \(reply.status)")
        // Nobody reads a name of what they may not see.
        if visitor.role == nil { #expect(!reply.text.contains("Tenant 1"), "\(what)") }
    }

    /// What the actions are about.
    private func state(_ stage: ConsoleStage) async throws -> String {
        try await stage.pool.query(
            """
            SELECT (SELECT string_agg(w::text, ',' ORDER BY id) FROM webhooks w)
                || (SELECT string_agg(k::text, ',' ORDER BY webhook_id) FROM webhook_keys k)
                || (SELECT string_agg(n::text, ',' ORDER BY id) FROM notifications n)
                || (SELECT string_agg(l::text, ',' ORDER BY id) FROM dead_letters l)
                || (SELECT count(*) FROM email_settings)
            """)[0].text(0)
    }
}
