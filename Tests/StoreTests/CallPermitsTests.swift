import Waiting
import Fixtures
import Foundation
import Operations
import Postgres
import Store
import Synchronization
import Testing

@Suite("Call permits", .serialized)
struct CallPermitsTests {
    @Test("an open permit is a row with its deadline; closing it records the status")
    func row() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let before = ContinuousClock.now
            let permit = try await executing.permits.open(
                under: executing.permit, call: "GET /x", timeLimit: .seconds(7))
            let (id, endsBy) = (permit.id, permit.endsBy)
            #expect(endsBy >= before + .seconds(7) && endsBy <= ContinuousClock.now + .seconds(7))
            let look: Postgres.Statement = """
                SELECT p.closed_at IS NULL AS open, p.http_status, p.worker_id, p.deadline - p.opened_at >= '7 s' AS lasts,
                       p.grant_id = (SELECT id FROM memberships WHERE user_id = p.user_id) AS is_grant
                FROM call_permits p WHERE id = $1::uuid
                """
            let open = try await stand.pool.query(look, [.uuid(id.uuid)])[0]
            #expect(try open.bool("open") && open.bool("lasts") && open.bool("is_grant"))
            #expect(try open.uuid("worker_id") == executing.worker)
            try await executing.permits.close(id, status: 429)
            try await executing.permits.close(id, status: 200)
            let closed = try await stand.pool.query(look, [.uuid(id.uuid)])[0]
            #expect(try !closed.bool("open") && closed.int("http_status") == 429)
        }
    }

    enum Loss: String, CaseIterable {
        case attempt, state, otherWorker, workerEnded, leaseOver
    }

    @Test("no permit for a run that was taken away", arguments: Loss.allCases)
    func lost(loss: Loss) async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            switch loss {
            case .attempt: _ = try await stand.pool.query("UPDATE runs SET attempt = 2")
            case .state: _ = try await stand.pool.query("UPDATE runs SET state = 'queued', worker_id = NULL")
            case .otherWorker:
                _ = try await stand.pool.query("UPDATE runs SET worker_id = gen_random_uuid()")
            case .workerEnded: _ = try await stand.pool.query("UPDATE workers SET ended_at = now()")
            case .leaseOver: try await stand.lose(executing.worker)
            }
            let refusal = try await executing.refusal()
            guard case .attemptLost? = refusal else { throw Unexpected(refusal as Any) }
            #expect(try await stand.count("SELECT count(*) FROM call_permits") == 0)
        }
    }

    @Test("no permit for a run that a person asked to stop")
    func cancelled() async throws {
        try await Stand.with { stand in
            let executing = try await stand.running()
            let answer = try await RunCancellation(pool: stand.pool, outboxLeaseSeconds: 5).cancel(
                executing.id, by: stand.world.owner)
            guard case .requested = answer else { throw Unexpected(answer) }
            let refusal = try await executing.refusal()
            guard case .cancelled? = refusal else { throw Unexpected(refusal as Any) }
        }
    }

    @Test("one refused call of a batch leaves the others theirs")
    func mixed() async throws {
        try await Stand.with(tenants: 2) { stand in
            let worker = try await stand.worker()
            let permits = stand.permits(of: worker)
            var executing: [ExecutionPermit] = []
            for tenant in 0..<2 {
                let run = try await stand.start(tenant: tenant)
                executing.append(try await stand.begin(run, by: worker).permit)
            }
            _ = try await stand.apply(.setConnectionEnabled(stand.world.connections[1], false))
            let tasks = (0..<20).map { index in
                let permit = executing[index % 2]
                return Task.immediate {
                    try await permits.open(under: permit, call: "GET /x", timeLimit: .seconds(9)).id
                }
            }
            for (index, task) in tasks.enumerated() {
                switch await task.result {
                case .success: #expect(index % 2 == 0)
                case .failure(let error):
                    #expect((error as? CallRefusal)?.reason == .connectionDisabled && index % 2 == 1)
                }
            }
            #expect(try await stand.count("SELECT count(*) FROM call_permits") == 10)
            #expect(try await stand.count("SELECT count(*) FROM audit WHERE action = 'call.denied'") == 10)
        }
    }

    @Test("calls against revocations: no permit opens past its grant, and no revoke is starved")
    func race() async throws {
        let revocations = 50
        try await Stand.with(tenants: revocations, poolSize: 16) { stand in
            let race = try await Race(stand, grants: revocations)
            let load = (0..<8).map { number in Task { try await race.call(number) } }
            try await eventually("calls are under way") { race.calls.withLock { $0 } > 8 ? () : nil }
            var latencies: [Duration] = []
            var effective: [(grant: GrantID, at: Date)] = []
            for (position, grant) in race.grants.enumerated() {
                // Each revoke meets callers that are at work.
                let before = race.calls.withLock { $0 }
                try await eventually("calls go on") { race.calls.withLock { $0 } > before + 8 ? () : nil }
                let start = ContinuousClock.now
                let answer = try await race.revoke(position)
                latencies.append(ContinuousClock.now - start)
                #expect(answer.settledAt != nil)
                effective.append((grant, answer.effectiveAt))
                try await race.grantAgain(position)
            }
            race.isOver.withLock { $0 = true }
            for task in load { try await task.value }
            let late = try await stand.count(
                """
                SELECT count(*) FROM call_permits p
                JOIN unnest($1::uuid[], $2::timestamptz[]) AS r (grant_id, at) USING (grant_id)
                WHERE p.opened_at > r.at
                """, [.uuids(effective.map(\.grant.uuid)), .timestamps(effective.map(\.at))])
            #expect(late == 0)
            let called = try await stand.count("SELECT count(DISTINCT grant_id) FROM call_permits")
            #expect(called > revocations / 2, "the load did not meet the revocations")
            let percentile = latencies.sorted()[revocations * 99 / 100]
            #expect(percentile < .milliseconds(500), "\(percentile)")
        }
    }
}

/// Eight callers, always on the tenants whose grants are the next to be taken away.
private final class Race: Sendable {
    let grants: [GrantID]
    let calls = Mutex(0)
    let isOver = Mutex(false)
    private let stand: Stand
    private let permits: [ExecutionPermit]
    private let callers: [CallPermits]
    private let position = Mutex(0)

    /// A grant on each tenant, with a run under it.
    init(_ stand: Stand, grants count: Int) async throws {
        self.stand = stand
        let worker = try await stand.worker()
        let world = stand.world
        var grants: [GrantID] = []
        var permits: [ExecutionPermit] = []
        for tenant in 0..<count {
            grants.append(
                try await stand.changes.grant(
                    user: world.stranger, tenant: world.tenants[tenant], role: .operator,
                    in: world.workspace, by: .system
                ).id)
            let run = try await stand.start(by: world.stranger, tenant: tenant)
            permits.append(try await stand.begin(run, by: worker).permit)
        }
        self.grants = grants
        self.permits = permits
        callers = (0..<8).map { _ in stand.permits(of: worker) }
    }

    /// Opens and closes permits until the race is over.
    func call(_ number: Int) async throws {
        while !isOver.withLock({ $0 }) {
            let target = position.withLock { min($0 + number % 3, permits.count - 1) }
            do {
                let id = try await callers[number].open(
                    under: permits[target], call: "GET /x", timeLimit: .seconds(20)
                ).id
                try await callers[number].close(id, status: 200)
                calls.withLock { $0 += 1 }
            } catch let refusal as CallRefusal {
                guard case .denied = refusal else { throw refusal }
            }
        }
    }

    func revoke(_ index: Int) async throws -> BarrierAnswer {
        position.withLock { $0 = index }
        return try await stand.apply(
            .revokeMembership(user: stand.world.stranger, tenant: stand.world.tenants[index]))
    }

    func grantAgain(_ index: Int) async throws {
        _ = try await stand.changes.grant(
            user: stand.world.stranger, tenant: stand.world.tenants[index], role: .operator,
            in: stand.world.workspace, by: .system)
    }
}
