import Fixtures
import Foundation
import JSON
import Operations
import Postgres
import Store
import Testing

@Suite("Firing schedules", .serialized)
struct ScheduleFiringsTests {
    @Test("two schedulers, 1,000 due firings: 1,000 runs")
    func exactlyOnce() async throws {
        try await Stand.with(tenants: 1_000) { stand in
            try await stand.schedule(at: Array(stand.world.connections.indices), due: -120)
            // A process has a pool of its own.
            var configuration = PostgresConfiguration(url: stand.database.url)
            configuration.poolSize = 2
            let other = PostgresPool(configuration, logger: TestDatabase.quiet)
            let pools = [stand.pool, other]
            let results = try await withThrowingTaskGroup { group in
                for pool in pools {
                    group.addTask {
                        let firings = Stand.firings(pool)
                        var results: [ScheduleFirings.Result] = []
                        // Whoever finds everything held by the other looks again.
                        while try await stand.dueSchedules() > 0 { results.append(try await firings.fire()) }
                        return results
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            await other.close()
            #expect(results.map(\.queued).reduce(0, +) == 1_000)
            #expect(results.allSatisfy { $0.blocked == 0 && $0.postponed == 0 && $0.skipped == 0 })
            let messages = results.flatMap(\.messages)
            #expect(Set(messages.map(\.runID)).count == 1_000)
            let counts = try await stand.pool.query(
                """
                SELECT (SELECT count(*) FROM runs WHERE state = 'queued'),
                       (SELECT count(DISTINCT schedule_id) FROM runs),
                       (SELECT count(*) FROM start_keys), (SELECT count(DISTINCT run_id) FROM outbox),
                       (SELECT count(*) FROM audit WHERE action = 'run.queued'),
                       (SELECT count(*) FROM schedules WHERE next_due_at > clock_timestamp())
                """)[0]
            #expect(try (0..<6).map { try counts.int($0) } == Array(repeating: 1_000, count: 6))
        }
    }

    @Test("a moment that was fired is not fired again, even when its schedule is put back")
    func firedBefore() async throws {
        try await Stand.with { stand in
            try await stand.schedule(due: -120)
            let before = try await stand.pool.query("SELECT next_due_at FROM schedules")[0].date(
                "next_due_at")
            #expect(try await stand.fire().queued == 1)
            try await stand.end()
            _ = try await stand.pool.query(
                "UPDATE schedules SET next_due_at = $1::timestamptz, look_at = $1::timestamptz",
                [.timestamp(before)])
            let again = try await stand.fire()
            #expect(again.looked == 1)
            #expect(again.queued == 0)
            #expect(try await stand.count("SELECT count(*) FROM runs") == 1)
            #expect(try await stand.dueSchedules() == 0)
        }
    }

    @Test("what is fired is a run of the system, or of the person, with its schedule")
    func whatIsFired() async throws {
        try await Stand.with(tenants: 2) { stand in
            let ids = try await stand.schedule(at: [0], due: -120)
            try await stand.schedule(at: [1], by: stand.world.operator, due: -120)
            #expect(try await stand.fire().queued == 2)
            let rows = try await stand.pool.query(
                """
                SELECT r.schedule_id, r.initiator_id, r.context->>'execution_authority_mode' AS mode,
                       a.details->>'origin' AS origin, a.details->>'due_at' AS due
                FROM runs r JOIN audit a ON a.run_id = r.id AND a.action = 'run.queued'
                ORDER BY r.initiator_id NULLS FIRST
                """)
            #expect(try rows[0].uuid("schedule_id") == ids[0].uuid)
            #expect(try rows.map { try $0.uuidOrNil("initiator_id") } == [nil, stand.world.operator.uuid])
            #expect(try rows.map { try $0.text("mode") } == ["system_authority", "actor_bound"])
            #expect(try rows.map { try $0.text("origin") } == ["schedule", "schedule"])
            #expect(try rows[0].textOrNil("due") != nil)
        }
    }

    @Test(
        "who is no longer entitled: the due run is blocked, was never queued for anybody, and tells it",
        arguments: [DenialReason.tenantNotEntitled, .capabilityMissing, .initiatorDisabled])
    func notEntitled(_ reason: DenialReason) async throws {
        try await Stand.with { stand in
            let person = stand.world.operator
            try await stand.schedule(by: person, due: -120)
            let change: AuthorityChange =
                switch reason {
                case .capabilityMissing: .changeRole(user: person, tenant: nil, role: .readonly)
                case .initiatorDisabled: .disableUser(person)
                default: .revokeMembership(user: person, tenant: nil)
                }
            _ = try await stand.apply(change)
            let result = try await stand.fire()
            #expect(result.blocked == 1)
            #expect(result.queued == 0)
            let run = try #require(result.messages.first?.runID)
            #expect(
                try await stand.row(run)
                    == RunRow(state: "completed", outcome: "blocked", reason: reason.rawValue))
            #expect(try await stand.actions(run) == ["run.queued", "run.blocked"])
            #expect(result.messages.map(\.route) == ["run-events"])
            let event = try #require(TerminalEvent(body: result.messages[0].body))
            #expect(event.outcome == .blocked)
            #expect(event.reason == .denial(reason))
            #expect(event.initiatorID == person)
            // The event is what a notifier bears out from the row.
            let ended = try await Notifications(pool: stand.pool).endedRuns([run])[run]
            #expect(ended?.event.outcome == .blocked)
            #expect(ended?.scheduleID != nil)
            #expect(try await stand.dueSchedules() == 0)
            // And the decision can be explained.
            let explained = try await RunReading(pool: stand.pool).explanation(of: run)
            #expect(explained?.then?["reason_code"]?.string == reason.rawValue)
            #expect(explained?.replay?.isEqual == true)
        }
    }

    @Test("the system does only what the catalogue allows it")
    func allowlist() async throws {
        try await Stand.with { stand in
            try await stand.permitChanges()
            try await stand.schedule(.policyBulkDelete, due: -120)
            let result = try await stand.fire()
            let run = try #require(result.messages.first?.runID)
            #expect(
                try await stand.row(run)
                    == RunRow(state: "completed", outcome: "blocked", reason: "system_operation_not_allowed"))
        }
    }

    @Test("a run asks for what its schedule asks for")
    func parameters() async throws {
        try await Stand.with { stand in
            let asked: JSON = ["kinds": ["scope_tag"]]
            try await stand.schedule(.backupRun, asking: asked, due: -120)
            #expect(try await stand.fire().queued == 1)
            let rows = try await stand.pool.query("SELECT parameters::text AS parameters FROM runs")
            #expect(try JSON(parsing: rows[0].text("parameters")) == asked)
        }
    }

    @Test("what this version does not take waits for one that does")
    func parametersThatAreUnknown() async throws {
        try await Stand.with { stand in
            try await stand.schedule(.backupRun, asking: ["colour": "red"], due: -120)
            #expect(try await stand.fire().postponed == 1)
            #expect(try await stand.obstacles() == ["parameters_invalid"])
        }
    }

    @Test("what may pass by itself waits in the queue")
    func suspended() async throws {
        try await Stand.with { stand in
            try await stand.schedule(due: -120)
            _ = try await stand.apply(.setOperability(stand.world.tenant, .suspended))
            #expect(try await stand.fire().queued == 1)
        }
    }

    @Test("of what was missed the latest is fired once, and the others are counted")
    func missed() async throws {
        try await Stand.with { stand in
            try await stand.schedule(due: -120 - 3 * 86_400)
            let result = try await stand.fire()
            #expect(result.queued == 1)
            #expect(result.skipped == 3)
            let skipped = try await stand.skipped()
            #expect(skipped["count"]?.integer == 3)
            #expect(skipped["reason"]?.string == "not_fired_in_time")
            #expect(skipped["fired_instead"]?.string != nil)
            #expect(try await stand.fire().looked == 0)
        }
    }

    @Test("what is due for more than a week is not fired any more")
    func tooLate() async throws {
        try await Stand.with { stand in
            // Due once a year.
            try await stand.schedule(due: -8 * 86_400, yearly: true)
            let result = try await stand.fire()
            #expect(result.queued == 0)
            #expect(result.skipped == 1)
            #expect(try await stand.count("SELECT count(*) FROM runs") == 0)
            let skipped = try await stand.skipped()
            #expect(skipped["count"]?.integer == 1)
            #expect(skipped["fired_instead"]?.isNull == true)
            #expect(try await stand.dueSchedules() == 0)
            // Six days are not too late.
            _ = try await stand.pool.query("DELETE FROM schedules")
            try await stand.schedule(due: -6 * 86_400, yearly: true)
            #expect(try await stand.fire().queued == 1)
        }
    }

    @Test("while the connection is busy the moment waits, and is fired when it is free")
    func busy() async throws {
        try await Stand.with { stand in
            try await stand.schedule(due: -120)
            try await stand.schedule(.complianceSnapshot, due: -120)
            let first = try await stand.fire()
            #expect(first.queued == 1)
            #expect(first.postponed == 1)
            #expect(try await stand.obstacles() == ["connection_busy"])
            #expect(try await stand.fire().looked == 0, "it is not looked at all the time")
            try await stand.lookNow()
            #expect(try await stand.fire().postponed == 1, "still busy")
            try await stand.end()
            try await stand.lookNow()
            #expect(try await stand.fire().queued == 1)
            #expect(try await stand.obstacles() == [])
            #expect(try await stand.count("SELECT count(*) FROM start_keys") == 2)
            #expect(
                try await stand.count("SELECT count(*) FROM audit WHERE action = 'schedule.skipped'") == 0)
        }
    }

    @Test("what waited until the next moment came is skipped, and the audit says for what it waited")
    func busyTooLong() async throws {
        try await Stand.with { stand in
            _ = try await stand.start()
            try await stand.schedule(due: -120)
            #expect(try await stand.fire().postponed == 1)
            // A day passes: as if it had been due the day before.
            _ = try await stand.pool.query(
                "UPDATE schedules SET next_due_at = next_due_at - interval '1 day', look_at = clock_timestamp()"
            )
            let result = try await stand.fire()
            #expect(result.skipped == 1)
            #expect(result.postponed == 1)
            let skipped = try await stand.skipped()
            #expect(skipped["reason"]?.string == "connection_busy")
        }
    }

    @Test("nothing is lost where nobody executes the operation")
    func unavailable() async throws {
        try await Stand.with { stand in
            try await stand.schedule(.backupRun, due: -120)
            let firings = Stand.firings(stand.pool, families: [.provider])
            #expect(try await firings.fire().postponed == 1)
            #expect(try await stand.obstacles() == ["operation_unavailable"])
            try await stand.lookNow()
            #expect(try await stand.fire().queued == 1)
        }
    }

    @Test("what is switched off or removed is not fired, and what passed meanwhile is not made up for")
    func switched() async throws {
        try await Stand.with(tenants: 2) { stand in
            let ids = try await stand.schedule(at: [0, 1], due: -120)
            let schedules = stand.schedules
            try await schedules.setEnabled(ids[0], false, by: stand.world.owner)
            try await schedules.remove(ids[1], by: stand.world.owner)
            #expect(try await stand.fire().looked == 0)
            try await schedules.setEnabled(ids[0], true, by: stand.world.owner)
            #expect(try await stand.fire().looked == 0)
            let schedule = try #require(try await schedules.schedule(ids[0]))
            #expect(try #require(schedule.nextDueAt) > Date())
            #expect(try await schedules.schedule(ids[1]) == nil)
        }
    }

    @Test("one that the database refuses, and one that can't be read, hold nobody up")
    func faulty() async throws {
        try await Stand.with(tenants: 4) { stand in
            let ids = try await stand.schedule(at: [0, 1, 2, 3], due: -120)
            _ = try await stand.pool.query(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$
                """)
            // A name of the connection that a constant trigger can look for.
            _ = try await stand.pool.query(
                "UPDATE provider_connections SET entra_tenant_name = 'refused' WHERE id = $1::uuid",
                [.uuid(stand.world.connections[1].uuid)])
            _ = try await stand.pool.query(
                """
                CREATE TRIGGER refuse BEFORE INSERT ON runs FOR EACH ROW
                WHEN (NEW.context::text LIKE '%refused%') EXECUTE FUNCTION refuse()
                """)
            _ = try await stand.pool.query(
                "UPDATE schedules SET cron = 'whenever' WHERE id = $1::uuid", [.uuid(ids[2].uuid)])
            await #expect(throws: PostgresError.self) { try await stand.fire() }
            #expect(try await stand.count("SELECT count(*) FROM runs") == 2)
            #expect(try await stand.obstacles() == ["cadence_unreadable"])
            #expect(try await stand.fire().looked == 0, "both are left alone for a while")
            // The refused one is still due.
            #expect(
                try await stand.count(
                    "SELECT count(*) FROM schedules WHERE next_due_at <= clock_timestamp() AND waits_for IS NULL"
                ) == 1)
        }
    }
}

extension Stand {
    static func firings(
        _ pool: PostgresPool, families: Set<OperationFamily> = Set(OperationFamily.allCases)
    ) -> ScheduleFirings {
        ScheduleFirings(pool: pool, families: families, outboxLeaseSeconds: 5, makeID: { UUID() })
    }

    func fire() async throws -> ScheduleFirings.Result { try await Self.firings(pool).fire() }

    var schedules: Schedules { Schedules(pool: pool, makeID: { UUID() }) }

    /// Enters a schedule for each of the connections, which is due once a day (or a year), and was to be fired `due`
    /// seconds from now. Without a person it is the system's.
    @discardableResult
    func schedule(
        _ operation: OperationType = .connectionCheck, asking parameters: JSON? = nil, at places: [Int] = [0],
        by person: UserID? = nil,
        due: Double, yearly: Bool = false
    ) async throws -> [ScheduleID] {
        let now = try await pool.query("SELECT clock_timestamp() AS now")[0].date("now")
        let minute = (now.timeIntervalSince1970 / 60).rounded(.down) * 60
        let moment = Date(timeIntervalSince1970: minute + due)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.minute, .hour, .day, .month], from: moment)
        let day = yearly ? "\(parts.day!) \(parts.month!)" : "* *"
        let ids = places.map { _ in UUID() }
        let asked = parameters ?? sampleParameters(operation)
        _ = try await pool.query(
            """
            INSERT INTO schedules (id, workspace_id, tenant_id, connection_id, operation, cron, time_zone, user_id,
                                   next_due_at, look_at, created_by, parameters)
            SELECT s.id, c.workspace_id, c.tenant_id, c.id, $3, $4, 'UTC', $5::uuid, $6::timestamptz,
                   $6::timestamptz, $7::uuid, $8::jsonb
            FROM unnest($1::uuid[], $2::uuid[]) AS s (id, connection_id)
            JOIN provider_connections c ON c.id = s.connection_id
            """,
            [
                .uuids(ids), .uuids(places.map { world.connections[$0].uuid }), .text(operation.rawValue),
                .text("\(parts.minute!) \(parts.hour!) \(day) *"), person.map { .uuid($0.uuid) } ?? .null,
                .timestamp(moment), .uuid(world.owner.uuid), asked.map { .json($0.text) } ?? .null,
            ])
        return ids.map { ScheduleID($0) }
    }

    func dueSchedules() async throws -> Int {
        try await count("SELECT count(*) FROM schedules WHERE look_at <= clock_timestamp()")
    }

    /// What due moments wait for.
    fileprivate func obstacles() async throws -> [String] {
        try await pool.query("SELECT waits_for FROM schedules WHERE waits_for IS NOT NULL").map {
            try $0.text(0)
        }
    }

    /// The time after which a moment that waits is tried again has passed.
    fileprivate func lookNow() async throws {
        _ = try await pool.query(
            "UPDATE schedules SET look_at = clock_timestamp() WHERE waits_for IS NOT NULL")
    }

    /// All runs end well.
    fileprivate func end() async throws {
        _ = try await pool.query(
            """
            UPDATE runs SET state = 'completed', outcome = 'succeeded', completed_at = clock_timestamp()
            WHERE completed_at IS NULL
            """)
    }

    /// What the audit says about the last moments that were skipped.
    fileprivate func skipped() async throws -> JSON {
        let rows = try await pool.query(
            "SELECT details FROM audit WHERE action = 'schedule.skipped' ORDER BY id DESC LIMIT 1")
        return try JSON(parsing: try #require(rows.first).bytes("details"))
    }
}
