import Waiting
import Fixtures
import Foundation
import Postgres
import Store
import Testing

@Suite("Outbox store", .serialized)
struct OutboxStoreTests {
    private static let routes = ["jobs.provider", "run-events"]

    @Test("claimers at the same time get disjoint rows, and together all of them")
    func disjoint() async throws {
        try await TestDatabase.with(poolSize: 8) { database in
            try await fill(database.pool, "jobs.provider", count: 3_000)
            let store = OutboxStore(pool: database.pool, leaseSeconds: 60)
            let claimed = try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        var mine: [Int] = []
                        while true {
                            let batch = try await store.claimDue(routes: Self.routes)
                            #expect(batch.count <= OutboxStore.claimLimit)
                            if batch.isEmpty { return mine }
                            mine += batch.map(\.outboxID)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            // A claimer that finds only rows which another has locked sees none: that one takes them.
            #expect(claimed.count == 3_000)
            #expect(Set(claimed).count == 3_000)
        }
    }

    @Test("a claimed row is its claimer's until the lease ends, then anybody's")
    func lease() async throws {
        try await TestDatabase.with { database in
            try await fill(database.pool, "jobs.provider", count: 1)
            let long = OutboxStore(pool: database.pool, leaseSeconds: 60)
            let short = OutboxStore(pool: database.pool, leaseSeconds: 0.05)
            let first = try await short.claimDue(routes: Self.routes)
            #expect(first.count == 1)
            let again = try await eventually("the lease is over") {
                let rows = try await long.claimDue(routes: Self.routes)
                return rows.isEmpty ? nil : rows
            }
            #expect(again == first)
            #expect(try await short.claimDue(routes: Self.routes).isEmpty)
        }
    }

    @Test("what is given back is due again for anybody, and not at once")
    func givenBack() async throws {
        try await TestDatabase.with { database in
            try await fill(database.pool, "jobs.provider", count: 2)
            let store = OutboxStore(pool: database.pool, leaseSeconds: 60)
            let claimed = try await store.claimDue(routes: Self.routes)
            try await store.giveBack([claimed[0].outboxID], forSeconds: 3_600)
            try await store.giveBack([claimed[1].outboxID], forSeconds: 0)
            let other = OutboxStore(pool: database.pool, leaseSeconds: 60)
            #expect(try await other.claimDue(routes: Self.routes) == [claimed[1]])
        }
    }

    @Test("only what is due, only of the routes that were asked for")
    func filter() async throws {
        try await TestDatabase.with { database in
            try await fill(database.pool, "jobs.provider", count: 2)
            try await fill(database.pool, "jobs.restore", count: 3)
            try await fill(database.pool, "run-events", count: 1, dueIn: 3_600)
            let store = OutboxStore(pool: database.pool, leaseSeconds: 60)
            let figures = try await QueueFigures.read(database.pool)
            #expect(figures.overdueMessages == 5)
            #expect(figures.oldestMessageSeconds >= 0)
            let claimed = try await store.claimDue(routes: Self.routes)
            #expect(claimed.map(\.route) == ["jobs.provider", "jobs.provider"])
            #expect(claimed.map(\.body) == [Array("body".utf8), Array("body".utf8)])
            #expect(try await QueueFigures.read(database.pool).overdueMessages == 3)
        }
    }

    @Test("deleting forgets exactly those rows, also twice, and many at a time")
    func delete() async throws {
        try await TestDatabase.with { database in
            try await fill(database.pool, "jobs.provider", count: 400)
            let store = OutboxStore(pool: database.pool, leaseSeconds: 60)
            let ids = try await store.claimDue(routes: Self.routes).map(\.outboxID)
            try await store.delete([])
            try await withThrowingTaskGroup { group in
                for id in ids.dropFirst(5) { group.addTask { try await store.delete([id]) } }
                try await group.waitForAll()
            }
            try await store.delete([ids[10]])
            let left = try await database.pool.query("SELECT id FROM outbox ORDER BY id").map {
                try $0.int(0)
            }
            #expect(left == ids.prefix(5).sorted())
        }
    }

    private func fill(_ pool: PostgresPool, _ route: String, count: Int, dueIn: Double = 0) async throws {
        _ = try await pool.query(
            """
            INSERT INTO outbox (due_at, route, message_id, run_id, body)
            SELECT clock_timestamp() + make_interval(secs => $3::float8), $1, 'm', gen_random_uuid(), 'body'
            FROM generate_series(1, $2::int)
            """, [.text(route), .int(count), .double(dueIn)])
    }
}
