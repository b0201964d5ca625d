import Waiting
import Fixtures
import Foundation
import JobRuntime
import Operations
import Postgres
import Store
import Synchronization
import Testing

typealias PostgresStatement = Postgres.Statement

@Suite("The straight path, on real parts", .serialized)
struct StraightPathTests {
    @Test("an allowed run goes queued → running → succeeded, with audit and one terminal event")
    func succeeds() async throws {
        try await Stage.with { stage in
            try await stage.consuming({ _ in
                var counts = SummaryCounts()
                counts[.total] = 3
                counts[.applied] = 3
                return .completed(counts)
            }) { _ in
                guard case .accepted(let run, _) = try await stage.start() else {
                    Issue.record("not accepted")
                    return
                }
                let end = try await stage.ended(run.execution.runID)
                #expect(end.outcome == "succeeded")
                #expect(end.attempt == 1)
                let actions = try await stage.database.pool.query(
                    "SELECT action FROM audit WHERE run_id = $1::uuid ORDER BY id",
                    [.uuid(run.execution.runID.uuid)]
                ).map { try $0.text(0) }
                #expect(actions == ["run.queued", "run.began", "run.ended"])
                _ = try await eventually("the outbox is empty") {
                    try await stage.count("SELECT count(*) FROM outbox") == 0 ? true : nil
                }
            }
        }
    }

    @Test("access taken away while queued: blocked, never running, the handler is not called")
    func blocked() async throws {
        try await Stage.with { stage in
            guard case .accepted(let run, _) = try await stage.start() else {
                Issue.record("not accepted")
                return
            }
            let answer = try await stage.changes.apply(
                .revokeMembership(user: stage.world.operator, tenant: nil), in: stage.world.workspace,
                by: .user(stage.world.owner))
            #expect(answer.settledAt != nil)
            try await stage.consuming({ _ in
                Issue.record("a blocked run was executed")
                return .completed(SummaryCounts())
            }) { _ in
                let end = try await stage.ended(run.execution.runID)
                #expect(end.outcome == "blocked")
                #expect(end.reason == "tenant_not_entitled")
                #expect(!end.started)
            }
        }
    }

    @Test("a suspended tenant: the run waits with its reason, and goes on when the tenant is operable again")
    func waits() async throws {
        try await Stage.with { stage in
            guard case .accepted(let run, _) = try await stage.start() else {
                Issue.record("not accepted")
                return
            }
            let world = stage.world
            _ = try await stage.changes.apply(
                .setOperability(world.tenant, .suspended), in: world.workspace, by: .user(world.owner))
            try await stage.consuming({ _ in .completed(SummaryCounts()) }) { _ in
                _ = try await eventually("it waits") {
                    let row = try await stage.database.pool.query(
                        "SELECT state, reason_code FROM runs WHERE id = $1::uuid",
                        [.uuid(run.execution.runID.uuid)])[0]
                    return try row.text(0) == "queued" && row.textOrNil(1) == "tenant_suspended" ? true : nil
                }
                _ = try await stage.changes.apply(
                    .setOperability(world.tenant, .operable), in: world.workspace, by: .user(world.owner))
                let end = try await stage.ended(run.execution.runID)
                #expect(end.outcome == "succeeded")
                #expect(end.attempt > 1)
            }
        }
    }

    @Test("a hundred simultaneous starts on one connection: one run, ninety-nine answers that name it")
    func oneRun() async throws {
        try await Stage.with { stage in
            let answers = try await withThrowingTaskGroup { group in
                for _ in 0..<100 { group.addTask { try await stage.start() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let accepted = answers.compactMap { answer -> RunID? in
                if case .accepted(let run, _) = answer { run.execution.runID } else { nil }
            }
            let named = answers.compactMap { answer -> RunID? in
                if case .duplicate(let run) = answer { run } else { nil }
            }
            #expect(accepted.count == 1)
            #expect(named.count == 99)
            #expect(Set(named) == Set(accepted))
        }
    }

    @Test("a worker whose lease ends loses its run: it is repaired and completes elsewhere, once")
    func repaired() async throws {
        try await Stage.with { stage in
            let lost = UUID()
            _ = try await stage.database.pool.query(
                """
                INSERT INTO workers (id, service, lease_until)
                VALUES ($1::uuid, 'lost', clock_timestamp() + interval '1 second')
                """, [.uuid(lost)])
            guard case .accepted(let run, _) = try await stage.start() else {
                Issue.record("not accepted")
                return
            }
            let zombie = RunService(
                pool: stage.database.pool, worker: lost, family: .provider, clock: DatabaseClock(),
                outboxLeaseSeconds: 5, random: { 0 })
            let job = JobMessage(runID: run.execution.runID, attempt: 1)
            guard case .success(.execute(let begun, let permit)) = await zombie.begin([job])[0] else {
                Issue.record("the lost worker could not begin")
                return
            }
            try await stage.consuming({ _ in .completed(SummaryCounts()) }) { _ in
                let end = try await stage.ended(run.execution.runID)
                #expect(end.outcome == "succeeded")
                #expect(end.attempt == 2)
            }
            // The zombie wakes up: it changes no row and opens no permit.
            if case .written = try await zombie.finish(begun, .completed(SummaryCounts())) {
                Issue.record("a zombie changed a run")
            }
            let permits = CallPermits(
                pool: stage.database.pool, worker: lost, clock: DatabaseClock(), makeID: { UUID() })
            await #expect(throws: CallRefusal.self) {
                _ = try await permits.open(under: permit, call: "GET /x", timeLimit: .seconds(5)).id
            }
        }
    }

    @Test("while nothing can be begun a job is kept, not handed back, and executes once when it can")
    func trouble() async throws {
        try await Stage.with { stage in
            let calls = Mutex(0)
            try await stage.consuming(
                lease: 60,
                { _ in
                    calls.withLock { $0 += 1 }
                    return .completed(SummaryCounts())
                }
            ) { _ in
                _ = try await stage.database.pool.query("ALTER TABLE workers RENAME TO workers_away")
                guard case .accepted(let run, _) = try await stage.start() else {
                    Issue.record("not accepted")
                    return
                }
                let queue = JobTopology.queue(of: .provider)
                try await eventually("the consumer has the job") {
                    try await stage.virtualHost.messages(in: queue).held == 1 ? () : nil
                }
                for _ in 0..<3 {
                    let messages = try await stage.virtualHost.messages(in: queue)
                    #expect(messages == (ready: 0, held: 1))
                }
                _ = try await stage.database.pool.query("ALTER TABLE workers_away RENAME TO workers")
                #expect(try await stage.ended(run.execution.runID).outcome == "succeeded")
                #expect(calls.withLock { $0 } == 1)
            }
        }
    }
}
