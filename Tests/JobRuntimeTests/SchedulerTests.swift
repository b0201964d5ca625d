import Waiting
import Fixtures
import Foundation
import JobRuntime
import Operations
import Postgres
import Store
import Testing

@Suite("Scheduler", .serialized)
struct SchedulerTests {
    @Test("what is due reaches the consumers' queue, by whichever of several schedulers, once; and they stop")
    func reachesTheQueue() async throws {
        try await Stage.with(tenants: 3) { stage in
            let schedules = Schedules(pool: stage.database.pool, makeID: { UUID() })
            let cadence = Cadence(try CronExpression("@yearly"), in: try #require(ScheduleZone("UTC")))
            for connection in stage.world.connections {
                let new = NewSchedule(
                    connectionID: connection, operation: .connectionCheck, cadence: cadence, person: nil)
                _ = try await schedules.create(new, by: stage.world.owner)
            }
            let schedulers = (0..<3).map { _ in
                let scheduler = Scheduler(
                    firings: ScheduleFirings(
                        pool: stage.database.pool, families: [.provider], outboxLeaseSeconds: 5,
                        makeID: { UUID() }),
                    publish: stage.relay.publish, logger: stage.logger)
                return Task { await scheduler.run() }
            }
            // They are running when it becomes due.
            _ = try await stage.database.pool.query(
                "UPDATE schedules SET next_due_at = clock_timestamp(), look_at = clock_timestamp()")
            _ = try await eventually("three jobs are in the queue") {
                let found = try await stage.virtualHost.messages(in: JobTopology.queue(of: .provider))
                return found.ready == 3 ? true : nil
            }
            for scheduler in schedulers {
                scheduler.cancel()
                await scheduler.value
            }
            let runs = try await stage.database.pool.query("SELECT DISTINCT schedule_id FROM runs")
            #expect(runs.count == 3)
        }
    }
}
