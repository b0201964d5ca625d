import FoundationEssentials
import HTTPTypes
import Fixtures
import Operations
import Postgres
import Store
import Testing
import WebFixtures

@testable import Console

/// Every page and action, asked by everybody who could: outside its scope it is not there (404), inside it takes the
/// capability (403).
struct PageMatrixTests {
    /// A page or an action, what it takes, and whether it is about one thing (else 404 for what is outside).
    private struct Row {
        let route: Route
        let path: String
        let takes: Capability?
        let isOfOneThing: Bool
        var fields: [(String, String)]?
    }

    /// Each route stands in the matrix: a new one does not compile without its row.
    private static func row(_ route: Route, _ run: RunID, _ connection: ConnectionID) -> Row {
        func page(_ path: String, _ takes: Capability?, ofOneThing: Bool = false) -> Row {
            Row(route: route, path: path, takes: takes, isOfOneThing: ofOneThing)
        }
        func action(_ path: String, _ takes: Capability?, _ fields: [(String, String)] = []) -> Row {
            Row(route: route, path: path, takes: takes, isOfOneThing: false, fields: fields)
        }
        switch route {
        case .overview: return page("/admin", .operationsView)
        case .operations: return page("/admin/operations", .operationsView)
        case .operationsFile(let format):
            return page("/admin/operations.\(format.rawValue)", .operationsView)
        case .run: return page("/admin/operations/\(run)", .operationsView, ofOneThing: true)
        case .runItems: return page("/admin/operations/\(run)/items", .operationsView, ofOneThing: true)
        case .tenants: return page("/admin/tenants", .providerView)
        case .connections: return page("/admin/provider-connections", .providerView)
        case .connection:
            return page("/admin/provider-connections/\(connection)", .providerView, ofOneThing: true)
        case .me: return page("/admin/me", nil)
        case .start:
            return action(
                "/admin/operations/start", .providerRun,
                [("connection", "\(connection)"), ("operation", "provider.connection.check")])
        case .cancel: return action("/admin/operations/\(run)/cancel", .providerRun)
        case .retry: return action("/admin/operations/\(run)/retry", .providerRun)
        case .changeRuns:
            return action("/admin/operations", .providerRun, [("change", "cancel"), ("run", "\(run)")])
        case .signOut: return action("/sign-out", nil)
        case .theme: return action("/theme", nil, [("theme", "dark")])
        case .changeViews:
            return action(
                "/admin/operations/views", nil, [("change", "remove"), ("view", "\(RunID(UUID()))")])
        case .backups: preconditionFailure("these stand in BackupPageTests")
        case .management: preconditionFailure("these stand in ManagementMatrixTests")
        case .notifications, .deadLetters: preconditionFailure("these stand in NotificationMatrixTests")
        case .bulk, .schedules: preconditionFailure("these stand in BulkMatrixTests")
        }
    }

    private static func routes(_ run: RunID, _ connection: ConnectionID) -> [Route] {
        [
            .overview, .operations, .operationsFile(.csv), .operationsFile(.json), .run(run), .runItems(run),
            .tenants, .connections, .connection(connection), .me, .changeRuns, .changeViews, .start,
            .cancel(run),
            .retry(run),
            .theme, .signOut,
        ]
    }

    @Test func everybodySeesWhatTheyMay() async throws {
        try await ConsoleStage.with { stage in
            let world = stage.world
            let owner = try await stage.browser(of: .owner)
            let visitors = try await Visitor.all(stage)
            var asked = 0
            for visitor in visitors {
                // The one before may have ended the last one.
                _ = try await stage.start(owner)
                let run = try await stage.runs().last!
                for route in Self.routes(run, world.connection) {
                    let row = Self.row(route, run, world.connection)
                    #expect(Route(row.fields == nil ? .get : .post, path: row.path) == row.route)
                    let browser = try await stage.browser(of: visitor.id)
                    let reply = try await ask(row, browser)
                    try expect(reply, of: row, by: visitor, browser)
                    asked += 1
                }
            }
            #expect(asked == visitors.count * 17)
        }
    }

    private func ask(_ row: Row, _ browser: Browser) async throws -> CollectedResponse {
        guard let fields = row.fields else { return try await browser.get(row.path) }
        return try await browser.post(row.path, fields)
    }

    private func expect(
        _ reply: CollectedResponse, of row: Row, by visitor: Visitor, _ browser: Browser
    ) throws {
        let what = "\(row.route) by \(visitor.name): \(reply.status)"
        let may = row.takes.map { visitor.role?.holds($0) == true } ?? true
        switch row.route {
        case .start, .cancel, .retry:
            // The Starter decides, and the console tells.
            #expect(reply.status == 303, "\(what)")
            let notice = reply.cookie("notice").flatMap(SessionSeal(browser.session!).opened)
                .flatMap(Notice.init)
            let text = try #require(notice, "\(what)").text
            let isRefused =
                text.contains("does not include") || text.contains("There is nothing here that you may see")
            #expect(isRefused == !may, "\(what): \(text)")
            if visitor.role == nil { #expect(text.contains("There is nothing here"), "\(what): \(text)") }
        case .signOut, .theme: #expect(reply.status == 303, "\(what)")
        // There is none.
        case .changeViews: #expect(reply.status == 404, "\(what)")
        case .changeRuns:
            #expect(reply.status == (visitor.holdsAnything ? 200 : 403), "\(what)")
            #expect(reply.text.contains("Do it with these 1") == may, "\(what)")
        default:
            let expected =
                row.isOfOneThing
                ? (visitor.role == nil ? 404 : may ? 200 : 403)
                : row.takes == nil || visitor.holdsAnything ? 200 : 403
            #expect(reply.status == expected, "\(what)")
            // Nobody reads a name of what they may not see.
            if visitor.role == nil { #expect(!reply.text.contains("Tenant 1"), "\(what)") }
        }
    }

    /// What is not there and what one may not see are told alike.
    @Test func theForeignIsLikeTheMissing() async throws {
        try await ConsoleStage.with { stage in
            let owner = try await stage.browser(of: .owner)
            _ = try await stage.start(owner)
            let run = try await stage.runs()[0]
            let stranger = try await stage.browser(of: stage.world.stranger)
            let missing = RunID(UUID())
            for (foreign, absent) in [
                ("/admin/operations/\(run)", "/admin/operations/\(missing)"),
                ("/admin/operations/\(run)/items", "/admin/operations/\(missing)/items"),
                (
                    "/admin/provider-connections/\(stage.world.connection)",
                    "/admin/provider-connections/\(ConnectionID(UUID()))"
                ),
            ] {
                let (one, other) = (try await stranger.get(foreign), try await stranger.get(absent))
                #expect(one.status == 404 && other.status == 404)
                // But for the address to come back to, which is the one that was asked for.
                #expect(
                    one.text.replacing(foreign, with: "") == other.text.replacing(absent, with: ""))
            }
        }
    }
}
