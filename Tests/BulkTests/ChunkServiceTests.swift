import Waiting
import Fixtures
import FoundationEssentials
import JSON
import Operations
import Postgres
import Store
import Testing

/// Chunks in the database, without a broker: who may begin one, and what follows from its end.
@Suite struct ChunkServiceTests {
    /// A divided run of so many devices, its worker, and the chunks' service.
    struct Stage {
        let pool: PostgresPool
        let world: World
        let run: RunID
        let worker: UUID
        let chunks: ChunkService
        let repair: RunRepair

        static func with(
            devices: Int, waitLimit: Int? = nil, isolation: isolated (any Actor)? = #isolation,
            _ body: (Stage) async throws -> Void
        ) async throws {
            try await TestDatabase.with { database in
                let pool = database.pool
                let world = try await World.make(in: pool)
                _ = try await pool.pipeline([
                    (
                        """
                        UPDATE tenants SET write_gate_open = true, write_gate_healthy = true,
                                           write_gate_checked_at = clock_timestamp()
                        """, []
                    ),
                    (
                        """
                        INSERT INTO inventory_devices (tenant_id, connection_id, device_id, seen_run, changed_run)
                        SELECT $1::uuid, $2::uuid, 'd' || lpad(n::text, 4, '0'), gen_random_uuid(), gen_random_uuid()
                        FROM generate_series(1, $3::int) n
                        """, [.uuid(world.tenant.uuid), .uuid(world.connection.uuid), .int(devices)]
                    ),
                ])
                let worker = UUID()
                try await Workers(pool: pool, leaseSeconds: 600).register(worker, service: "test")
                let stage = try await Stage(pool, world, worker, waitLimit)
                try await body(stage)
            }
        }

        private init(_ pool: PostgresPool, _ world: World, _ worker: UUID, _ waitLimit: Int?) async throws {
            let clock = DatabaseClock()
            let starts = StartService(
                pool: pool, families: [.bulk], outboxLeaseSeconds: 5, makeID: { UUID() })
            let runs = RunService(
                pool: pool, worker: worker, family: .bulk, clock: clock, outboxLeaseSeconds: 5,
                random: { 0 })
            let answer = try await starts.start(
                StartRequest(
                    operation: "device.bulk_sync", connectionID: world.connection,
                    parameters: ["filter": ["all": true]], initiatorID: world.people[.manager]!,
                    origin: .person, waitLimitSeconds: waitLimit))
            guard case .accepted(let run, _) = answer,
                case .execute(let began, let permit) = try await runs.begin([
                    JobMessage(runID: run.execution.runID, attempt: 1)
                ])[0].get()
            else { throw NotInTime(description: "the run did not begin: \(answer)") }
            let parameters = try BulkParameters(began.execution.parameters, for: .deviceBulkSync)
            guard
                case .divided = try await RunDivision(pool: pool).divide(parameters.selection, under: permit)
            else { throw NotInTime(description: "it was not divided") }
            self.pool = pool
            self.world = world
            self.worker = worker
            self.run = began.execution.runID
            chunks = Self.service(pool, worker)
            repair = RunRepair(pool: pool, outboxLeaseSeconds: 5)
        }

        static func service(_ pool: PostgresPool, _ worker: UUID, _ family: OperationFamily = .bulk)
            -> ChunkService
        {
            ChunkService(
                pool: pool, worker: worker, family: family, clock: DatabaseClock(), outboxLeaseSeconds: 5,
                random: { 0 })
        }

        func job(_ chunk: Int, attempt: Int = 1) -> JobMessage {
            JobMessage(runID: run, chunk: chunk, attempt: attempt)
        }

        func begin(_ chunk: Int, attempt: Int = 1) async throws -> ExecutionPermit {
            let beginning = try await chunks.begin([job(chunk, attempt: attempt)])[0].get()
            guard case .execute(_, let permit) = beginning else {
                throw NotInTime(description: "chunk \(chunk) did not begin: \(beginning)")
            }
            return permit
        }

        /// How many chunks are in each state.
        func states() async throws -> [String: Int] {
            let rows = try await pool.query("SELECT state, count(*) FROM run_chunks GROUP BY state")
            return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.text(0), try $0.int(1)) })
        }

        /// The run: its outcome and reason, and how many terminal events there are.
        func ending() async throws -> (outcome: String?, reason: String?, counts: JSON, events: Int) {
            let row = try await pool.query(
                """
                SELECT outcome, reason_code, counts::text,
                       (SELECT count(*) FROM outbox o WHERE o.run_id = r.id AND route = 'run-events')
                FROM runs r WHERE id = $1::uuid
                """, [.uuid(run.uuid)])[0]
            return (
                try row.textOrNil(0), try row.textOrNil(1), try JSON(parsing: row.text(2)), try row.int(3)
            )
        }

        func change(_ change: AuthorityChange) async throws {
            _ = try await AuthorityChanges(pool: pool, makeID: { UUID() }).apply(
                change, in: world.workspace, by: .user(world.owner))
        }
    }

    /// H1: a message begins only what is due, and only once.
    @Test func aForgedMessageBeginsNothing() async throws {
        try await Stage.with(devices: 300) { stage in
            #expect(try await stage.states() == ["queued": 8, "planned": 4])
            let forged = [
                stage.job(9), stage.job(1, attempt: 2), stage.job(99),
                JobMessage(runID: RunID(UUID()), chunk: 1, attempt: 1),
            ]
            for beginning in await stage.chunks.begin(forged) {
                switch try beginning.get() {
                case .duplicate, .unknown: break
                case let other: Issue.record("\(other)")
                }
            }
            let elsewhere = Stage.service(stage.pool, stage.worker, .restore)
            guard case .misrouted = try await elsewhere.begin([stage.job(1)])[0].get() else {
                Issue.record("another family began it")
                return
            }
            let twice = await stage.chunks.begin([stage.job(1), stage.job(1)])
            guard case .execute(_, let permit) = try twice[0].get(), case .duplicate = try twice[1].get()
            else {
                Issue.record("\(twice)")
                return
            }
            #expect(permit.chunk == 1 && permit.attempt == 1)
            // The run's own message does nothing, either.
            let runs = RunService(
                pool: stage.pool, worker: stage.worker, family: .bulk, clock: DatabaseClock(),
                outboxLeaseSeconds: 5, random: { 0 })
            let whole = (1...2).map { JobMessage(runID: stage.run, attempt: $0) }
            for beginning in await runs.begin(whole) {
                guard case .duplicate = try beginning.get() else {
                    Issue.record("\(beginning)")
                    return
                }
            }
        }
    }

    /// Each end rings for the next; the last one ends the run, once.
    @Test func theLastChunkEndsTheRun() async throws {
        try await Stage.with(devices: 260) { stage in
            let items = ChunkItems(pool: stage.pool)
            for chunk in 1...11 {
                #expect(try await stage.ending().outcome == nil)
                let permit = try await stage.begin(chunk)
                let open = try await items.open(of: permit)
                #expect(open.count == (chunk < 11 ? 25 : 10))
                for item in open { try await items.record(item.key, .applied, under: permit) }
                guard
                    case .written(let outcome, let messages) = try await stage.chunks.finish(
                        permit, .completed(SummaryCounts()))
                else {
                    Issue.record("chunk \(chunk) is stale")
                    return
                }
                #expect((outcome != nil) == (chunk == 11))
                #expect(messages.count == (chunk < 4 || chunk == 11 ? 1 : 0))
                // A second end of the same attempt changes nothing.
                guard case .stale = try await stage.chunks.finish(permit, .completed(SummaryCounts())) else {
                    Issue.record("it ended twice")
                    return
                }
                await #expect(throws: CallRefusal.self) {
                    try await items.record(open[0].key, .failed, under: permit)
                }
            }
            let ending = try await stage.ending()
            #expect(ending.outcome == "succeeded" && ending.events == 1)
            #expect(ending.counts["applied"] == 260 && ending.counts["total"] == 260)
        }
    }

    /// A chunk is authorised when it begins, as of then.
    @Test func aChunkThatIsRefusedStopsTheRun() async throws {
        try await Stage.with(devices: 300) { stage in
            try await stage.change(
                .revokeMembership(user: stage.world.people[.manager]!, tenant: nil))
            let beginning = try await stage.chunks.begin([stage.job(3)])[0].get()
            guard case .refused(_, .tenantNotEntitled, ended: true, let messages) = beginning else {
                Issue.record("\(beginning)")
                return
            }
            #expect(messages.map(\.route) == ["run-events"])
            #expect(try await stage.states() == ["ended": 12])
            let ending = try await stage.ending()
            #expect(ending.outcome == "blocked" && ending.reason == "tenant_not_entitled")
            #expect(ending.counts["untouched"] == 300 && ending.events == 1)
            guard case .duplicate = try await stage.chunks.begin([stage.job(4)])[0].get() else {
                Issue.record("another chunk began")
                return
            }
        }
    }

    /// A refusal that may pass waits, and is asked again when something was given back.
    @Test func aChunkWaitsForASuspendedTenant() async throws {
        try await Stage.with(devices: 50) { stage in
            try await stage.change(.setOperability(stage.world.tenant, .suspended))
            let beginning = try await stage.chunks.begin([stage.job(1)])[0].get()
            guard case .refused(_, .tenantSuspended, ended: false, _) = beginning else {
                Issue.record("\(beginning)")
                return
            }
            _ = try await stage.pool.query(
                "UPDATE run_chunks SET next_attempt_at = next_attempt_at + interval '1 hour' WHERE chunk = 1")
            guard case .duplicate = try await stage.chunks.begin([stage.job(1, attempt: 2)])[0].get() else {
                Issue.record("it began before it was due")
                return
            }
            try await stage.change(.setOperability(stage.world.tenant, .operable))
            _ = try await stage.begin(1, attempt: 2)
            #expect(try await stage.ending().outcome == nil)
        }
    }

    /// H9: a lost worker's chunk comes back, but not while a call of it may be on the wire.
    @Test func aLostWorkersChunkComesBack() async throws {
        try await Stage.with(devices: 30) { stage in
            let permits = CallPermits(
                pool: stage.pool, worker: stage.worker, clock: DatabaseClock(), makeID: { UUID() })
            let first = try await stage.begin(1)
            let callID = try await permits.open(under: first, call: "POST x", timeLimit: .seconds(600)).id
            _ = try await stage.pool.query("UPDATE workers SET lease_until = clock_timestamp()")
            #expect(try await stage.repair.endLostWorkers() == 1)
            #expect(try await stage.repair.repairOrphanedChunks().isEmpty, "its call may be on the wire")
            #expect(try await stage.repair.repairOrphans().isEmpty, "the run is nobody's")
            await #expect(throws: CallRefusal.self) {
                _ = try await permits.open(under: first, call: "POST x", timeLimit: .seconds(1))
            }
            try await permits.close(callID, status: nil)
            #expect(try await stage.repair.repairOrphanedChunks().map(\.messageID) == ["\(stage.run):1:2"])
            let worker = UUID()
            try await Workers(pool: stage.pool, leaseSeconds: 600).register(worker, service: "test")
            let other = Stage.service(stage.pool, worker)
            guard case .execute = try await other.begin([stage.job(1, attempt: 2)])[0].get() else {
                Issue.record("nobody went on")
                return
            }
            guard case .stale = try await stage.chunks.finish(first, .completed(SummaryCounts())) else {
                Issue.record("a zombie ended it")
                return
            }
            // Given back unknowingly begun: another attempt.
            #expect(
                try await other.release([stage.job(1, attempt: 2)]).map(\.messageID) == ["\(stage.run):1:3"])
        }
    }

    /// Another worker's permit, or that of another chunk, opens no call.
    @Test func onlyTheHolderCalls() async throws {
        try await Stage.with(devices: 60) { stage in
            let permit = try await stage.begin(1)
            let worker = UUID()
            try await Workers(pool: stage.pool, leaseSeconds: 600).register(worker, service: "test")
            let others = CallPermits(
                pool: stage.pool, worker: worker, clock: DatabaseClock(), makeID: { UUID() })
            await #expect(throws: CallRefusal.self) {
                _ = try await others.open(under: permit, call: "POST x", timeLimit: .seconds(1))
            }
            let own = CallPermits(
                pool: stage.pool, worker: stage.worker, clock: DatabaseClock(), makeID: { UUID() })
            _ = try await own.open(under: permit, call: "POST x", timeLimit: .seconds(1))
            _ = try await stage.chunks.finish(permit, .completed(SummaryCounts()))
            await #expect(throws: CallRefusal.self) {
                _ = try await own.open(under: permit, call: "POST x", timeLimit: .seconds(1))
            }
        }
    }

    /// What the broker lost is rung for again.
    @Test func aLostMessageIsWrittenAgain() async throws {
        try await Stage.with(devices: 60) { stage in
            _ = try await stage.begin(1)
            #expect(try await stage.repair.remind(after: 0) == 0, "they are in the outbox")
            _ = try await stage.pool.query("DELETE FROM outbox")
            #expect(try await stage.repair.remind(after: 0) == 2)
            let ids = try await stage.pool.query("SELECT message_id FROM outbox ORDER BY 1")
                .map { try $0.text(0) }
            #expect(ids == ["\(stage.run):2:1", "\(stage.run):3:1"])
        }
    }

    @Test func aRunIsCancelledWithItsChunks() async throws {
        try await Stage.with(devices: 300) { stage in
            let permit = try await stage.begin(1)
            let cancellation = RunCancellation(pool: stage.pool, outboxLeaseSeconds: 5)
            guard case .requested = try await cancellation.cancel(stage.run, by: stage.world.owner) else {
                Issue.record("one chunk is under way")
                return
            }
            #expect(try await stage.states() == ["ended": 11, "running": 1])
            _ = try await stage.chunks.finish(permit, .cancelled(SummaryCounts()))
            let ending = try await stage.ending()
            #expect(ending.outcome == "cancelled" && ending.events == 1)
            #expect(ending.counts["untouched"] == 300)
        }
    }
}
