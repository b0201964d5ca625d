import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Testing

@Suite("Run repair", .serialized)
struct RunRepairTests {
    @Test("workers whose lease has run out are ended, once; the others live on")
    func endsWorkers() async throws {
        try await Stand.with { stand in
            let lost = try await stand.worker(lease: -1)
            let alive = try await stand.worker()
            let ended = try await together(4) { try await stand.repair.endLostWorkers() }
            #expect(ended.reduce(0, +) == 1)
            let workers = Workers(pool: stand.pool, leaseSeconds: 60)
            await #expect(throws: StoreError.workerEnded) { try await workers.renew(lost) }
            try await workers.renew(alive)
            // One that gives its lease back is ended at once.
            try await workers.end(alive)
            #expect(try await stand.repair.endLostWorkers() == 1)
            await #expect(throws: StoreError.workerEnded) { try await workers.renew(alive) }
        }
    }

    @Test("a worker that was ended begins and opens nothing, and its runs come back as their next attempt")
    func orphan() async throws {
        try await Stand.with(tenants: 2) { stand in
            let orphan = try await stand.running()
            let kept = try await stand.running(tenant: 1)
            #expect(try await stand.repair.repairOrphans().isEmpty)
            try await stand.lose(orphan.worker)
            // The lease is over, and nobody has said so yet: repairing waits for that.
            #expect(try await stand.repair.repairOrphans().isEmpty)
            #expect(try await stand.repair.endLostWorkers() == 1)
            let pending = try await stand.repair.repairOrphans()
            #expect(pending.map(\.messageID) == ["\(orphan.id):2"])
            #expect(pending.map(\.route) == ["jobs.provider"])
            #expect(
                try await stand.row(orphan.id)
                    == RunRow(state: "queued", reason: "worker_lost", attempt: 2, failed: 1, started: true))
            #expect(try await stand.actions(orphan.id) == ["run.queued", "run.began", "run.repaired"])
            #expect(try await stand.row(kept.id).state == "running")
            let refusal = try await orphan.refusal()
            guard case .attemptLost? = refusal else { throw Unexpected(refusal as Any) }
            // The next attempt is another worker's.
            let next = JobMessage(runID: orphan.id, attempt: 2)
            let beginning = try await stand.runs(of: kept.worker).begin([next])[0].get()
            guard case .execute = beginning else { throw Unexpected(beginning) }
        }
    }

    @Test("two repairers at a time repair each orphan once")
    func twoRepairers() async throws {
        try await Stand.with(tenants: 30, poolSize: 8) { stand in
            let worker = try await stand.worker()
            for tenant in 0..<30 {
                _ = try await stand.begin(try await stand.start(tenant: tenant), by: worker)
            }
            try await stand.lose(worker)
            #expect(try await stand.repair.endLostWorkers() == 1)
            let repaired = try await together(4) { try await stand.repair.repairOrphans() }.flatMap(\.self)
            #expect(repaired.count == 30)
            #expect(Set(repaired.map(\.messageID)).count == 30)
            #expect(try await stand.count("SELECT count(*) FROM runs WHERE attempt = 2") == 30)
            #expect(try await stand.count("SELECT count(*) FROM audit WHERE action = 'run.repaired'") == 30)
        }
    }

    @Test("a run that lost its worker too often ends failed, with one event")
    func tooOften() async throws {
        try await Stand.with { stand in
            let orphan = try await stand.running()
            _ = try await stand.pool.query(
                "UPDATE runs SET failed_attempts = $1::int",
                [.int(OperationCatalogue.definition(.connectionCheck).retry.attemptLimit - 1)])
            try await stand.lose(orphan.worker)
            #expect(try await stand.repair.endLostWorkers() == 1)
            let pending = try await stand.repair.repairOrphans()
            #expect(pending.map(\.route) == ["run-events"])
            let row = try await stand.row(orphan.id)
            #expect(row.outcome == "failed" && row.reason == "worker_lost")
        }
    }

    /// A read is repaired at once; a write must have come to rest first.
    @Test(
        "an orphan with a call on the wire",
        arguments: zip([OperationType.restoreExecute, .connectionCheck], [0, 1]))
    func onTheWire(operation: OperationType, repairedAtOnce: Int) async throws {
        try await Stand.with { stand in
            try await stand.permitChanges()
            let orphan = try await stand.running(operation, by: stand.world.owner)
            let call = try await orphan.open()
            try await stand.lose(orphan.worker)
            #expect(try await stand.repair.endLostWorkers() == 1)
            #expect(try await stand.repair.repairOrphans().count == repairedAtOnce)
            _ = try await stand.pool.query(
                "UPDATE call_permits SET deadline = clock_timestamp() WHERE id = $1::uuid",
                [.uuid(call.uuid)])
            #expect(try await stand.repair.repairOrphans().count == 1 - repairedAtOnce)
            #expect(try await stand.row(orphan.id).attempt == 2)
        }
    }

    @Test("an orphaned change whose calls were all closed is repaired at once")
    func closed() async throws {
        try await Stand.with { stand in
            try await stand.permitChanges()
            let orphan = try await stand.running(.restoreExecute, by: stand.world.owner)
            try await orphan.permits.close(try await orphan.open(), status: 200)
            try await stand.lose(orphan.worker)
            #expect(try await stand.repair.endLostWorkers() == 1)
            #expect(try await stand.repair.repairOrphans().map(\.route) == ["jobs.restore"])
        }
    }

    @Test("permits left open well past their deadline are closed as in doubt; the others stay")
    func resolve() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            var calls: [CallID] = []
            for _ in 0..<4 { calls.append(try await executing.open()) }
            try await executing.permits.close(calls[3], status: 200)
            _ = try await stand.pool.query(
                """
                UPDATE call_permits p SET deadline = clock_timestamp() - make_interval(secs => d.past)
                FROM unnest($1::uuid[], $2::float8[]) AS d (id, past) WHERE p.id = d.id
                """, [.uuids(calls.map(\.uuid)), .doubles([6, 1, -60, 60])])
            #expect(try await stand.repair.resolvePermits() == 1)
            let inDoubt = try await stand.pool.query(
                "SELECT id FROM call_permits WHERE in_doubt AND closed_at IS NOT NULL AND http_status IS NULL"
            ).map { try $0.uuid(0) }
            #expect(inDoubt == [calls[0].uuid])
            #expect(try await stand.count("SELECT count(*) FROM call_permits WHERE closed_at IS NULL") == 2)
            #expect(try await stand.repair.resolvePermits() == 0)
        }
    }

    @Test("only what is lost is rung for again, once per period, also by two at a time")
    func remind() async throws {
        try await Stand.with(tenants: 6, poolSize: 8) { stand in
            // 0: lost; 1: young; 2: its message is in the outbox; 3: running; 4: ended; 5: lost, attempt 2.
            var ids: [RunID] = []
            for tenant in 0..<6 { ids.append(try await stand.start(tenant: tenant).execution.runID) }
            let runs = stand.runs(of: try await stand.worker())
            _ = try await runs.begin([JobMessage(runID: ids[3], attempt: 1)])[0].get()
            _ = try await RunCancellation(pool: stand.pool, outboxLeaseSeconds: 5).cancel(
                ids[4], by: stand.world.owner)
            _ = try await stand.pool.query(
                "UPDATE runs SET queued_at = queued_at - interval '1 hour' WHERE id <> $1::uuid",
                [.uuid(ids[1].uuid)])
            _ = try await stand.pool.query(
                """
                UPDATE runs SET attempt = 2, traceparent = '00-trace',
                                next_attempt_at = clock_timestamp() - interval '10 minutes'
                WHERE id = $1::uuid
                """, [.uuid(ids[5].uuid)])
            _ = try await stand.pool.query(
                "DELETE FROM outbox WHERE run_id <> $1::uuid", [.uuid(ids[2].uuid)])
            let rung = try await together(2) { try await stand.repair.remind(after: 300) }
            #expect(rung.reduce(0, +) == 2)
            let rows = try await stand.pool.query(
                "SELECT message_id, body, route FROM outbox WHERE run_id <> $1::uuid", [.uuid(ids[2].uuid)])
            #expect(try Set(rows.map { try $0.text("message_id") }) == ["\(ids[0]):1", "\(ids[5]):2"])
            for row in rows {
                let job = try JobMessage(body: row.bytes("body"))
                #expect(try job.messageID == row.text("message_id"))
                #expect(try row.text("route") == "jobs.provider")
            }
            // Published and lost once more: not before the period is over again.
            _ = try await stand.pool.query("DELETE FROM outbox")
            #expect(try await stand.repair.remind(after: 300) == 1)
            let kept = try await stand.count(
                "SELECT count(*) FROM outbox WHERE run_id = $1::uuid", [.uuid(ids[2].uuid)])
            #expect(kept == 1)
        }
    }

    /// The answers of several that do the same at the same time.
    private func together<R: Sendable>(
        _ count: Int, _ work: @escaping @Sendable () async throws -> R
    ) async throws -> [R] {
        try await withThrowingTaskGroup { group in
            for _ in 0..<count { group.addTask { try await work() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
