import Waiting
import Fixtures
import FoundationEssentials
import Operations
import Postgres
import Store
import Testing

/// Runs that end by way of the system's own services, and the events that those leave in the outbox.
struct History: Sendable {
    let scene: Scene

    /// One run each that succeeds, is blocked, and is cancelled, on three tenants in this order.
    func endThreeRuns() async throws -> [TerminalEvent] {
        let (pool, world) = (scene.pool, scene.world)
        let worker = UUID()
        try await Workers(pool: pool, leaseSeconds: 60).register(worker, service: "test")
        let runs = RunService(
            pool: pool, worker: worker, family: .provider, clock: DatabaseClock(), outboxLeaseSeconds: 60,
            random: { 0 })

        let succeeded = try await start(on: 0, by: world.operator)
        guard case .success(.execute(let begun, _)) = await runs.begin([job(succeeded)])[0] else {
            throw NotInTime(description: "the run could not begin")
        }
        _ = try await runs.finish(begun, .completed(SummaryCounts()))

        let manager = try #require(world.people[.manager])
        let blocked = try await start(on: 1, by: manager)
        _ = try await AuthorityChanges(pool: pool, makeID: { UUID() }).apply(
            .revokeMembership(user: manager, tenant: nil), in: world.workspace, by: .user(world.owner))
        _ = await runs.begin([job(blocked)])

        let cancelled = try await start(on: 2, by: world.operator)
        _ = try await RunCancellation(pool: pool, outboxLeaseSeconds: 60).cancel(
            cancelled, by: world.operator)

        var events: [TerminalEvent] = []
        for run in [succeeded, blocked, cancelled] {
            let rows = try await pool.query(
                "SELECT body FROM outbox WHERE route = 'run-events' AND run_id = $1::uuid", [.uuid(run.uuid)])
            let body = try #require(rows.first).bytes(0)
            events.append(try #require(TerminalEvent(body: body)))
        }
        return events
    }

    private func job(_ run: RunID) -> JobMessage { JobMessage(runID: run, attempt: 1) }

    private func start(on tenant: Int, by user: UserID) async throws -> RunID {
        let starts = StartService(
            pool: scene.pool, families: [.provider], outboxLeaseSeconds: 60, makeID: { UUID() })
        let answer = try await starts.start(
            StartRequest(
                operation: OperationType.connectionCheck.rawValue,
                connectionID: scene.world.connections[tenant], initiatorID: user, origin: .person))
        guard case .accepted(let run, _) = answer else { throw NotInTime(description: "\(answer)") }
        return run.execution.runID
    }
}
