import Fixtures
import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import Postgres
import ServiceKit
import Store
import Testing
import WebFixtures

@testable import Console

/// Every page and action that changes in bulk or lets something start by itself, asked by everybody who could: outside its
/// scope it is not there (404), inside it takes the capability (403). Nothing is changed: what could be lacks something.
struct BulkMatrixTests {
    /// Schedules on the first tenant: the system's, and two of the owner's, of which one is paused.
    private struct Made {
        let ofSystem: ScheduleID
        let ofOwner: ScheduleID
        let paused: ScheduleID
    }

    /// A form about the first tenant, for whoever may send one about something.
    private static func whereItMayBeMade(_ status: Int) -> ExpectedAnswer {
        .by { $0.somewhere?.holds(.providerRun) == true ? $0.role == nil ? 404 : status : 403 }
    }

    // MARK: rows

    /// Each route stands in the matrix: a new one does not compile without its rows.
    private static func rows(_ bulk: BulkRoute, _ world: World) -> [MatrixRow] {
        func wish(_ operation: OperationType) -> [(String, String)] {
            [("operation", operation.rawValue), ("connection", "\(world.connection)")]
        }
        switch bulk {
        case .overview: return [.page("/admin/bulk", .somewhere(.operationsView))]
        case .choose:
            let path = "/admin/bulk/new?connection=\(world.connection)&operation="
            return [
                .page("\(path)policy.bulk_assign", .here(.policyBulk)),
                .page("\(path)policy.bulk_delete", .here(.policyBulk)),
                .page("\(path)device.bulk_sync", .here(.deviceBulk)),
                .page("\(path)backup.run", .always(422)),
                .page("/admin/bulk/new", .always(422)),
            ]
        case .look:
            return [
                .action("/admin/bulk/new", wish(.deviceBulkSync) + [("step", "find")], .here(.deviceBulk)),
                .action("/admin/bulk/new", wish(.deviceBulkSync) + [("step", "found")], .here(.deviceBulk)),
                .action(
                    "/admin/bulk/new", wish(.policyBulkDelete) + [("step", "ticked")],
                    .here(.policyBulk, 422)),
            ]
        case .start:
            return [.action("/admin/bulk", [("choice", "x.y")], .always(422))]
        }
    }

    private static func rows(_ schedule: ScheduleRoute, _ world: World, _ made: Made) -> [MatrixRow] {
        switch schedule {
        case .list:
            return [
                .page("/admin/schedules", .somewhere(.operationsView)),
                .page("/admin/schedules?tenant=\(world.tenant)", .here(.operationsView)),
            ]
        case .schedule(let id): return [.page(Link.schedule(id), .here(.operationsView))]
        case .new:
            return [
                .page("/admin/schedules/new", .somewhere(.providerRun)),
                .page("/admin/schedules/new?connection=\(world.connection)", whereItMayBeMade(200)),
            ]
        case .create:
            let wish = [("operation", "backup.run"), ("connection", "\(world.connection)")]
            let path = "/admin/schedules/new"
            return [
                .action(path, wish, .here(.backupRun)),
                .action(path, wish + [("run_as", "system")], .here(.accessManage)),
                .action(
                    path, wish + [("run_as", "system"), ("step", "save"), ("time_zone", "nowhere")],
                    whereItMayBeMade(422)),
            ]
        case .change(let id): return changes(id, world, made)
        }
    }

    private static func changes(
        _ id: ScheduleID, _ world: World, _ made: Made
    ) -> [MatrixRow] {
        let path = Link.schedule(id)
        let ofOwner = ExpectedAnswer.by { visitor in
            visitor.role.map { _ in visitor.id == world.owner ? 303 : 403 } ?? 404
        }
        let unknown = MatrixRow.action(path, [("change", "wind up")], .here(.operationsView, 422))
        switch id {
        case made.ofSystem:
            return [
                .action(path, [("change", "remove")], .here(.accessManage)),
                // It is on: nothing happens.
                .action(path, [("change", "resume")], .here(.accessManage, 303)), unknown,
            ]
        case made.ofOwner: return [.action(path, [("change", "resume")], ofOwner), unknown]
        default:
            return [
                // It is off: nothing happens.
                .action(path, [("change", "pause")], .here(.accessManage, 303)), unknown,
            ]
        }
    }

    private static func routes(_ made: Made) -> [Route] {
        let bulk: [BulkRoute] = [.overview, .choose, .look, .start]
        let schedules: [ScheduleRoute] = [
            .list, .schedule(made.ofSystem), .schedule(made.ofOwner), .new, .create, .change(made.ofSystem),
            .change(made.ofOwner), .change(made.paused),
        ]
        return bulk.map(Route.bulk) + schedules.map(Route.schedules)
    }

    // MARK: asking

    @Test func everybodySeesAndDoesWhatTheyMay() async throws {
        try await ConsoleStage.with { stage in
            let made = try await make(stage)
            let visitors = try await Visitor.all(stage)
            let before = try await state(stage)
            let asked = try await MatrixRow.ask(Self.routes(made), as: visitors, stage) { route in
                switch route {
                case .bulk(let bulk): Self.rows(bulk, stage.world)
                case .schedules(let schedule): Self.rows(schedule, stage.world, made)
                default: preconditionFailure("these stand elsewhere")
                }
            }
            #expect(asked == visitors.count * 26)
            #expect(try await state(stage) == before)
        }
    }

    /// What was shown to somebody is looked at once more before it is started: then it takes the capability again.
    @Test func whatWasShownStartsForWhoMay() async throws {
        try await ConsoleStage.with { stage in
            let parameters = try BulkParameters(["filter": ["all": true]], for: .deviceBulkSync)
            let shown = BulkShown(
                .deviceBulkSync, stage.world.connection, parameters,
                BulkShown.Result(["eligible": 999, "not_eligible": [:], "examples": []]))
            for visitor in try await Visitor.all(stage) {
                let browser = try await stage.browser(of: visitor.id)
                let choice = SessionSeal(browser.session!).signed(shown.json.text)
                let reply = try await browser.post("/admin/bulk", [("choice", choice)])
                // There is no device: whoever may start it is shown that.
                let expected = ExpectedAnswer.here(.deviceBulk, 422).status(visitor)
                #expect(reply.status == expected, "\(visitor.name): \(reply.status)")
            }
            #expect(try await stage.runs().isEmpty)
        }
    }

    /// What is not there and what one may not see are told alike.
    @Test func theForeignIsLikeTheMissing() async throws {
        try await ConsoleStage.with { stage in
            let made = try await make(stage)
            let stranger = try await stage.browser(of: stage.world.stranger)
            let (missing, connection) = (ScheduleID(UUID()), ConnectionID(UUID()))
            let choose = "/admin/bulk/new?operation=device.bulk_sync&connection="
            for (foreign, absent) in [
                (Link.schedule(made.ofSystem), Link.schedule(missing)),
                ("\(choose)\(stage.world.connection)", "\(choose)\(connection)"),
            ] {
                let (one, other) = (try await stranger.get(foreign), try await stranger.get(absent))
                #expect(one.status == 404 && other.status == 404)
                let escaped = { (text: String) in text.replacing("&", with: "&amp;") }
                #expect(
                    one.text.replacing(escaped(foreign), with: "")
                        == other.text.replacing(escaped(absent), with: ""))
            }
        }
    }

    private func make(_ stage: ConsoleStage) async throws -> Made {
        let schedules = Schedules(pool: stage.pool, makeID: UUID.timeOrdered)
        func make(_ cron: String, _ person: UserID?) async throws -> ScheduleID {
            let zone = try #require(ScheduleZone("UTC"))
            let cadence = Cadence(try CronExpression(cron), in: zone)
            let new = NewSchedule(
                connectionID: stage.world.connection, operation: .backupRun, cadence: cadence, person: person)
            guard case .created(let id) = try await schedules.create(new, by: stage.world.owner) else {
                throw StoreError.notFound("schedule")
            }
            return id
        }
        let made = Made(
            ofSystem: try await make("@daily", nil), ofOwner: try await make("@weekly", stage.world.owner),
            paused: try await make("@monthly", stage.world.owner))
        try await schedules.setEnabled(made.paused, false, by: stage.world.owner)
        return made
    }

    /// What the actions are about.
    private func state(_ stage: ConsoleStage) async throws -> String {
        try await stage.pool.query(
            """
            SELECT (SELECT string_agg(s::text, ',' ORDER BY id) FROM schedules s)
                || (SELECT count(*) FROM runs) || (SELECT count(*) FROM audit WHERE action LIKE 'schedule%')
            """)[0].text(0)
    }
}
