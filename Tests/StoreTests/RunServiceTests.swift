import Waiting
import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

@Suite("Run service", .serialized)
struct RunServiceTests {
    @Test("two hundred beginnings in one batch: each message has its own answer, in order")
    func batch() async throws {
        try await Stand.with(tenants: 80) { stand in
            var allowed: [RunSnapshot] = []
            for tenant in 0..<40 { allowed.append(try await stand.start(tenant: tenant)) }
            var denied: [RunSnapshot] = []
            for tenant in 40..<60 { denied.append(try await stand.start(tenant: tenant)) }
            var misrouted: [RunSnapshot] = []
            for tenant in 60..<80 { misrouted.append(try await stand.start(.inventorySync, tenant: tenant)) }
            _ = try await stand.pool.query(
                "UPDATE provider_connections SET enabled = false WHERE id = ANY ($1::uuid[])",
                [.uuids(denied.map(\.execution.connectionID.uuid))])
            let early = JobMessage(runID: allowed[0].execution.runID, attempt: 2)
            let unknown = (0..<19).map { _ in JobMessage(runID: RunID(UUID()), attempt: 1) }
            let jobs =
                [early] + allowed.map(\.job) + denied.map(\.job) + misrouted.map(\.job) + unknown
                + allowed.map(\.job) + denied.map(\.job) + misrouted.map(\.job) + unknown + [early]
            #expect(jobs.count == 200)
            let worker = try await stand.worker()
            let words = try await stand.runs(of: worker).begin(jobs).map { try $0.get().word }
            let first =
                ["duplicate"] + repeated("execute", 40) + repeated("blocked: connection_disabled", 20)
                + repeated("misrouted", 20) + repeated("unknown", 19)
            let second =
                repeated("duplicate", 60) + repeated("misrouted", 20) + repeated("unknown", 19) + [
                    "duplicate"
                ]
            #expect(words == first + second)
            for run in allowed {
                #expect(
                    try await stand.row(run.execution.runID)
                        == RunRow(state: "running", worker: worker, started: true))
            }
            for run in denied {
                #expect(
                    try await stand.row(run.execution.runID)
                        == RunRow(state: "completed", outcome: "blocked", reason: "connection_disabled"))
            }
            for run in misrouted {
                #expect(try await stand.row(run.execution.runID) == RunRow(state: "queued"))
            }
        }
    }

    @Test("a refused run was never running: it ends blocked, with one event and its decision")
    func refused() async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            let id = run.execution.runID
            _ = try await stand.apply(.revokeMembership(user: stand.world.operator, tenant: nil))
            let beginning = try await stand.runs(of: stand.worker()).begin([run.job])[0].get()
            guard case .refused(_, .tenantNotEntitled, ended: true, let messages) = beginning else {
                throw Unexpected(beginning)
            }
            #expect(
                try await stand.row(id)
                    == RunRow(state: "completed", outcome: "blocked", reason: "tenant_not_entitled"))
            #expect(try await stand.actions(id) == ["run.queued", "run.blocked"])
            #expect(messages.map(\.route) == ["run-events"])
            #expect(TerminalEvent(body: messages[0].body)?.outcome == .blocked)
            let decision = try await stand.pool.query(
                "SELECT context->'legitimacy'->>'decision' FROM runs WHERE id = $1::uuid", [.uuid(id.uuid)])[
                    0]
            #expect(try decision.text(0) == "denied")
        }
    }

    @Test("a refusal that may pass waits for its next attempt, later")
    func waits() async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            let id = run.execution.runID
            _ = try await stand.apply(.setOperability(stand.world.tenant, .suspended))
            let beginning = try await stand.runs(of: stand.worker()).begin([run.job])[0].get()
            guard case .refused(_, .tenantSuspended, ended: false, let messages) = beginning else {
                throw Unexpected(beginning)
            }
            #expect(messages.isEmpty)
            #expect(
                try await stand.row(id) == RunRow(state: "queued", reason: "tenant_suspended", attempt: 2))
            #expect(
                try await stand.count(
                    """
                    SELECT count(*) FROM outbox WHERE message_id = $1
                    AND due_at > clock_timestamp() + interval '500 ms'
                    """, [.text("\(id):2")]) == 1)
        }
    }

    @Test("an operation that this version does not know ends blocked, and is nobody's misrouted one")
    func unknownOperation() async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            _ = try await stand.pool.query("UPDATE runs SET operation = 'later.version'")
            let word = try await stand.runs(of: stand.worker()).begin([run.job])[0].get().word
            #expect(word == "blocked: operation_unknown")
        }
    }

    @Test("facts that this version can't read are a refusal that may pass, never a yes")
    func unreadable() async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            _ = try await stand.pool.query("ALTER TABLE memberships DROP CONSTRAINT memberships_role_check")
            _ = try await stand.pool.query("UPDATE memberships SET role = 'emperor'")
            let word = try await stand.runs(of: stand.worker()).begin([run.job])[0].get().word
            #expect(word == "waits: authority_store_unavailable")
        }
    }

    enum Ending: String, CaseIterable { case ended, expired, unknown }

    @Test("a worker that has ended begins nothing, and nothing is changed", arguments: Ending.allCases)
    func ended(how: Ending) async throws {
        try await Stand.with { stand in
            let run = try await stand.start()
            var worker = try await stand.worker()
            switch how {
            case .ended: _ = try await stand.pool.query("UPDATE workers SET ended_at = now()")
            case .expired: try await stand.lose(worker)
            case .unknown: worker = UUID()
            }
            let result = await stand.runs(of: worker).begin([run.job])[0]
            #expect(throws: StoreError.workerEnded) { try result.get() }
            #expect(try await stand.row(run.execution.runID) == RunRow(state: "queued"))
            #expect(try await stand.actions(run.execution.runID) == ["run.queued"])
            #expect(try await stand.count("SELECT count(*) FROM outbox") == 1)
        }
    }

    @Test("two workers begin the same run at a time: one executes it")
    func twoWorkers() async throws {
        try await Stand.with(poolSize: 8) { stand in
            let run = try await stand.start()
            var services: [RunService] = []
            for _ in 0..<6 { services.append(stand.runs(of: try await stand.worker())) }
            let words = try await withThrowingTaskGroup { group in
                for service in services {
                    group.addTask { try await service.begin([run.job])[0].get().word }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(words.sorted() == repeated("duplicate", 5) + ["execute"])
            #expect(try await stand.actions(run.execution.runID) == ["run.queued", "run.began"])
        }
    }

    @Test("a finished run has its outcome, its counts and one event; finishing again is stale")
    func finish() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            var counts = SummaryCounts()
            counts[.total] = 2
            counts[.applied] = 1
            counts[.failed] = 1
            let runs = stand.runs(of: executing.worker)
            let written = try await runs.finish(executing.run, .completed(counts))
            guard case .written(.partiallySucceeded, let message?) = written else {
                throw Unexpected(written)
            }
            #expect(TerminalEvent(body: message.body)?.counts == counts)
            #expect(
                try await stand.row(executing.id)
                    == RunRow(state: "completed", outcome: "partially_succeeded", started: true))
            let again = try await runs.finish(executing.run, .completed(SummaryCounts()))
            guard case .stale = again else { throw Unexpected(again) }
            #expect(try await stand.actions(executing.id) == ["run.queued", "run.began", "run.ended"])
            #expect(try await stand.count("SELECT count(*) FROM outbox WHERE route = 'run-events'") == 1)
        }
    }

    @Test("a failure that may pass comes back as the next attempt, not before its time")
    func retry() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let written = try await stand.runs(of: executing.worker).finish(
                executing.run, .failed(.throttled, SummaryCounts(), retryAfterSeconds: 120))
            guard case .written(outcome: nil, message: nil) = written else { throw Unexpected(written) }
            #expect(
                try await stand.row(executing.id)
                    == RunRow(state: "queued", reason: "throttled", attempt: 2, failed: 1, started: true))
            #expect(
                try await stand.count(
                    "SELECT count(*) FROM outbox WHERE due_at > clock_timestamp() + interval '119 seconds'")
                    == 1)
        }
    }

    enum Theft: String, CaseIterable { case attempt, worker }

    @Test("finishing what was taken away is stale and changes nothing", arguments: Theft.allCases)
    func stale(theft: Theft) async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            switch theft {
            case .attempt: _ = try await stand.pool.query("UPDATE runs SET attempt = 2")
            case .worker: _ = try await stand.pool.query("UPDATE runs SET worker_id = gen_random_uuid()")
            }
            let before = try await stand.row(executing.id)
            let written = try await stand.runs(of: executing.worker).finish(
                executing.run, .completed(SummaryCounts()))
            guard case .stale = written else { throw Unexpected(written) }
            #expect(try await stand.row(executing.id) == before)
            #expect(try await stand.actions(executing.id) == ["run.queued", "run.began"])
            #expect(try await stand.count("SELECT count(*) FROM outbox WHERE route = 'run-events'") == 0)
        }
    }

    @Test("a released run comes back as its next attempt; others' runs and waiting ones stay")
    func release() async throws {
        try await Stand.with(tenants: 3) { stand in
            let mine = try await stand.running()
            let others = try await stand.running(tenant: 1)
            let waiting = try await stand.start(tenant: 2)
            let runs = stand.runs(of: mine.worker)
            let another = JobMessage(runID: mine.id, attempt: 2)
            #expect(
                try await runs.release([another]).isEmpty, "a message of an attempt that it does not hold")
            #expect(try await stand.row(mine.id).state == "running")
            let pending = try await runs.release([mine.run.job, others.run.job, waiting.job])
            #expect(pending.map(\.messageID) == ["\(mine.id):2"])
            #expect(
                try await stand.row(mine.id)
                    == RunRow(state: "queued", reason: "worker_lost", attempt: 2, failed: 1, started: true))
            #expect(try await stand.row(others.id).state == "running")
            #expect(try await stand.row(waiting.execution.runID) == RunRow(state: "queued"))
            let refusal = try await mine.refusal()
            guard case .attemptLost? = refusal else { throw Unexpected(refusal as Any) }
            #expect(try await runs.release([mine.run.job]).isEmpty)
        }
    }

    @Test("a run that was asked to stop, and whose worker was lost, ends instead of beginning again")
    func stopAskedBefore() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let cancellation = RunCancellation(pool: stand.pool, outboxLeaseSeconds: 5)
            guard case .requested = try await cancellation.cancel(executing.id, by: stand.world.operator)
            else {
                throw Unexpected("it was not executing")
            }
            try await stand.lose(executing.worker)
            #expect(try await stand.repair.endLostWorkers() == 1)
            #expect(try await stand.repair.repairOrphans().count == 1)
            let beginning = try await stand.runs(of: stand.worker()).begin([
                JobMessage(runID: executing.id, attempt: 2)
            ])[0].get()
            #expect(beginning.word == "cancelled")
            let row = try await stand.row(executing.id)
            #expect(row.state == "completed" && row.outcome == "cancelled")
            #expect(try await stand.actions(executing.id).last == "run.cancelled")
            #expect(try await stand.count("SELECT count(*) FROM outbox WHERE route = 'run-events'") == 1)
        }
    }

    /// The doorbell of a running run locks its row and waits for the authority lock behind a change, which
    /// waits for whoever opens a permit on that run.
    @Test("a late doorbell, a change and an opening permit at one moment don't block each other for ever")
    func noDeadlock() async throws {
        try await Stand.with(poolSize: 6) { stand in
            let executing = try await stand.running()
            try await stand.pool.transaction { opener in
                let tenant = Parameter.uuid(stand.world.tenant.uuid)
                _ = try await opener.query(
                    "SELECT pg_advisory_xact_lock_shared(authority_lock($1::uuid))", [tenant])
                let change = Task { try await stand.apply(.setOperability(stand.world.tenant, .suspended)) }
                try await eventually("the change waits") {
                    try await stand.waiting(forLock: "advisory") == 1 ? () : nil
                }
                let doorbell = Task {
                    try await stand.runs(of: executing.worker).begin([executing.run.job])[0].get().word
                }
                try await eventually("the doorbell waits behind it") {
                    try await stand.waiting(forLock: "advisory") == 2 ? () : nil
                }
                let start = ContinuousClock.now
                _ = try await opener.query(
                    """
                    INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id,
                                              connection_id, call, opened_at, deadline, closed_at)
                    SELECT gen_random_uuid(), id, 1, worker_id, workspace_id, tenant_id, connection_id, 'GET /x',
                           now(), now(), now() FROM runs
                    """)
                // The server looks for deadlocks after a second.
                #expect(ContinuousClock.now - start < .milliseconds(900))
                return (change, doorbell)
            } then: { change, doorbell in
                _ = try await change.value
                #expect(try await doorbell.value == "duplicate")
            }
        }
    }
}

extension PostgresPool {
    /// A transaction, and what is to be done after its commit with what it handed out.
    fileprivate func transaction<R: Sendable>(
        _ body: (Transaction) async throws -> R, then: (R) async throws -> Void
    ) async throws {
        try await then(try await transaction(body))
    }
}

private func repeated(_ word: String, _ count: Int) -> [String] { Array(repeating: word, count: count) }
