import Waiting
import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

@testable import Notifier

@Suite("Refused schedules are told of, once", .serialized)
struct ScheduleTests {
    /// Enters a schedule of the person.
    private func schedule(of person: UserID, _ scene: Scene) async throws -> ScheduleID {
        let schedules = Schedules(pool: scene.pool, makeID: { UUID() })
        let cadence = Cadence(try CronExpression("@daily"), in: try #require(ScheduleZone("UTC")))
        let new = NewSchedule(
            connectionID: scene.world.connection, operation: .connectionCheck, cadence: cadence,
            person: person)
        guard case .created(let id) = try await schedules.create(new, by: person) else {
            throw NotInTime(description: "the schedule was not made")
        }
        return id
    }

    /// A run of the schedule ends; returns who was told of it once the notifier is done with it.
    private func end(
        _ outcome: RunOutcome, of schedule: ScheduleID, by person: UserID?, _ scene: Scene,
        _ notifier: RunningNotifier
    ) async throws -> Set<UserID> {
        let figures = ["recorded", "nobody"]
        let before = figures.map(notifier.received).reduce(0, +)
        let reason: RunReason? = outcome == .blocked ? .denial(.tenantNotEntitled) : nil
        let run = try await scene.run(
            outcome: outcome, reason: reason, initiator: person, schedule: schedule)
        try await scene.publish(scene.event(of: run))
        _ = try await eventually("it is received") {
            figures.map(notifier.received).reduce(0, +) > before ? true : nil
        }
        return Set(try await scene.rows().filter { $0.run == run }.map(\.user))
    }

    @Test func `those who manage access and the person are told at the first refusal only`() async throws {
        try await Scene.with { scene in
            let people = scene.world.people
            let person = scene.world.operator
            let told: Set = [person, people[.owner]!, people[.manager]!]
            let id = try await schedule(of: person, scene)
            _ = try await scene.pool.query(
                "UPDATE memberships SET revoked_at = now() WHERE user_id = $1::uuid", [.uuid(person.uuid)])
            try await scene.notifying { notifier in
                func end(_ outcome: RunOutcome) async throws -> Set<UserID> {
                    try await self.end(outcome, of: id, by: person, scene, notifier)
                }
                #expect(try await end(.blocked) == told)
                #expect(try await end(.blocked) == [])
                #expect(try await end(.cancelled) == [person])
                #expect(try await end(.blocked) == [], "a cancelled run says nothing about authority")
                #expect(try await end(.succeeded) == [person])
                #expect(try await end(.blocked) == told, "it had worked again")
                #expect(try await end(.blocked) == [])
                // Somebody changed it: what it did before is no reason to be silent.
                let schedules = Schedules(pool: scene.pool, makeID: { UUID() })
                try await schedules.setEnabled(id, false, by: scene.world.owner)
                try await schedules.setEnabled(id, true, by: scene.world.owner)
                #expect(try await end(.blocked) == told)
            }
            let blocked = "Scheduled connection check of Tenant 1 was blocked"
            let row = try #require(try await scene.rows().first { $0.title == blocked })
            #expect(row.body.contains("atlas schedules show \(id)"))
        }
    }

    @Test func `nobody is told twice of one run, and the disabled and the others' managers never`()
        async throws
    {
        try await Scene.with(tenants: 2) { scene in
            let (world, person) = (scene.world, scene.world.operator)
            let id = try await schedule(of: person, scene)
            let elsewhere = UUID()
            _ = try await scene.pool.pipeline([
                (
                    "INSERT INTO users (id, workspace_id, name) VALUES ($1::uuid, $2::uuid, 'elsewhere')",
                    [.uuid(elsewhere), .uuid(world.workspace.uuid)]
                ),
                (
                    """
                    INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
                    VALUES (gen_random_uuid(), $2::uuid, $3::uuid, $1::uuid, 'manager')
                    """,
                    [.uuid(elsewhere), .uuid(world.workspace.uuid), .uuid(world.tenants[1].uuid)]
                ),
                (
                    "UPDATE users SET disabled_at = now() WHERE id = $1::uuid",
                    [.uuid(world.people[.manager]!.uuid)]
                ),
            ])
            let run = try await scene.run(
                outcome: .blocked, reason: .denial(.capabilityMissing), initiator: person, schedule: id)
            let event = try await scene.event(of: run)
            try await scene.notifying { one in
                try await scene.notifying { other in
                    try await scene.publish(Array(repeating: event.body, count: 30))
                    _ = try await eventually("all are received") {
                        let all = [one, other].map {
                            $0.received("recorded") + $0.received("duplicate") + $0.received("nobody")
                        }
                        return all.reduce(0, +) == 30 ? true : nil
                    }
                }
            }
            #expect(try await Set(scene.rows().map(\.user)) == [person, world.owner])
            #expect(try await scene.rows().count == 2)
        }
    }

    @Test func `a schedule of the system notifies no person`() async throws {
        try await Scene.with { scene in
            try await scene.notifying { notifier in
                let told = try await end(
                    .blocked, of: ScheduleID(UUID()), by: nil, scene, notifier)
                #expect(told == [])
            }
        }
    }
}
