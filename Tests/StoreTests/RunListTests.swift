import Fixtures
import Foundation
import Operations
import Postgres
import SeededRandom
import Testing

@testable import Store

/// Lists of runs, by whichever index: the same as looking at every run.
struct RunListTests {
    private struct Known {
        let id: RunID
        let tenant: TenantID
        let connection: ConnectionID
        let state: RunState
        let outcome: RunOutcome?
        let reason: RunReason?
        let operation: String
        let initiator: UserID?
        let at: Date
    }

    @Test func everyFilterFindsWhatItSays() async throws {
        var random = SplitMix(seed: 7)
        try await TestDatabase.with { database in
            let world = try await World.make(in: database.pool, tenants: 12)
            let known = try await fill(database.pool, world, &random)
            let reading = RunReading(pool: database.pool)
            var ways: Set<RunFilter.Way> = []
            var found = 0
            for _ in 0..<400 {
                let filter = randomFilter(world, known, &random)
                ways.insert(filter.way)
                let expected = known.filter { Self.fits($0, filter) }.map(\.id).sorted { $0.uuid > $1.uuid }
                var ids: [RunID] = []
                var page = filter
                repeat {
                    let next = try await reading.list(page)
                    #expect(next.entries.count <= filter.limit)
                    ids += next.entries.map(\.id)
                    page.before = next.hasMore ? next.entries.last?.id : nil
                } while page.before != nil
                #expect(ids == expected, "\(filter.way) \(filter)")
                found += ids.count
            }
            #expect(ways == [.none, .tenants, .active, .outcome, .initiator, .operation, .workspace])
            #expect(found > 1_000)
        }
    }

    private static func fits(_ run: Known, _ filter: RunFilter) -> Bool {
        filter.tenants.contains(run.tenant) && (filter.state.map { $0 == run.state } ?? true)
            && (filter.outcome.map { $0 == run.outcome } ?? true)
            && (filter.operation.map { $0 == run.operation } ?? true)
            && (filter.reason.map { $0 == run.reason } ?? true)
            && (filter.isWaiting.map { $0 == (run.reason != nil) } ?? true)
            && (filter.initiator.map { $0 == run.initiator } ?? true)
            && (!filter.isOfSystem || run.initiator == nil)
            && (filter.connection.map { $0 == run.connection } ?? true)
            && (filter.since.map { run.at >= $0 } ?? true)
    }

    private func randomFilter(
        _ world: World, _ known: [Known], _ random: inout SplitMix
    ) -> RunFilter {
        // The active ones are few, and looked for as often.
        let sample = known[..<(Bool.random(using: &random) ? 12 : known.count)].randomElement(using: &random)!
        func sometimes<T>(_ value: @autoclosure () -> T?) -> T? {
            Int.random(in: 0..<4, using: &random) == 0 ? value() : nil
        }
        let tenants = Bool.random(using: &random) ? world.tenants : [sample.tenant, world.tenants[0]]
        var filter = RunFilter(
            workspace: world.workspace, tenants: Array(Set(tenants)),
            limit: Int.random(in: 1...40, using: &random))
        filter.state = sometimes(sample.state)
        filter.outcome = sometimes(known.randomElement(using: &random)!.outcome)
        filter.operation = sometimes(sample.operation)
        filter.reason = sometimes(sample.reason)
        filter.isWaiting = sometimes(sample.reason != nil)
        filter.initiator = sometimes(sample.initiator)
        filter.isOfSystem = sometimes(true) ?? false
        filter.connection = sometimes(sample.connection)
        filter.since = sometimes(sample.at)
        return filter
    }

    /// Runs that have ended in every way, at different times; and one active run on each connection.
    private func fill(
        _ pool: PostgresPool, _ world: World, _ random: inout SplitMix
    ) async throws -> [Known] {
        let reasons: [RunReason?] = [
            nil, .denial(.capabilityMissing), .denial(.tenantSuspended), .failure(.throttled),
        ]
        let start = Date(timeIntervalSince1970: 1_795_000_000)
        let known = (0..<600).map { number in
            let place = number < 12 ? number : Int.random(in: 0..<12, using: &random)
            // Only one run is active on a connection.
            let state: RunState = number < 12 ? (number % 2 == 0 ? .queued : .running) : .completed
            let at = start.addingTimeInterval(Double(number))
            var bytes = UUID(lowestAt: at).uuid
            bytes.15 = UInt8(truncatingIfNeeded: number)
            return Known(
                id: RunID(UUID(uuid: bytes)), tenant: world.tenants[place],
                connection: world.connections[place], state: state,
                outcome: state == .completed ? RunOutcome.allCases.randomElement(using: &random) : nil,
                reason: state == .running ? nil : reasons.randomElement(using: &random)!,
                operation: OperationType.allCases.randomElement(using: &random)!.rawValue,
                initiator: [nil, world.owner, world.operator].randomElement(using: &random)!, at: at)
        }
        _ = try await pool.query(
            """
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, outcome, reason_code, attempt,
                              worker_id, initiator_id, context, queued_at, expires_at, started_at, completed_at)
            SELECT id, $1::uuid, t, c, o, s, nullif(e, ''), nullif(r, ''), 1,
                   CASE WHEN s = 'running' THEN gen_random_uuid() END, nullif(u, $1::uuid), '{}', now(), now(),
                   CASE WHEN s = 'running' THEN now() END, CASE WHEN s = 'completed' THEN now() END
            FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::uuid[])
                AS n (id, t, c, o, s, e, r, u)
            """,
            [
                .uuid(world.workspace.uuid), .uuids(known.map(\.id.uuid)), .uuids(known.map(\.tenant.uuid)),
                .uuids(known.map(\.connection.uuid)), .texts(known.map(\.operation)),
                .texts(known.map(\.state.rawValue)), .texts(known.map { $0.outcome?.rawValue ?? "" }),
                .texts(known.map { $0.reason?.code ?? "" }),
                .uuids(known.map { $0.initiator?.uuid ?? world.workspace.uuid }),
            ])
        return known
    }
}
