import Waiting
import Testing

@testable import Postgres

extension PostgresTests {
    @Suite struct PoolTests {
        @Test func leasesBeyondTheSizeWaitAndTimeOut() async throws {
            try await withPool({
                $0.poolSize = 1
                $0.waitDeadline = .milliseconds(100)
            }) { pool in
                try await pool.transaction { transaction in
                    let lease = await postgresError { try await pool.transaction { _ in } }
                    #expect(lease?.kind == .poolExhausted)
                    #expect(lease?.isRetryable == true)
                    let call = await postgresError { try await pool.query("SELECT 1") }
                    #expect(call?.kind == .poolExhausted)
                    _ = try await transaction.query("SELECT 1")
                }
                _ = try await pool.query("SELECT 1")
            }
        }

        @Test func tooManyWaitersAreRefusedAtOnce() async throws {
            let refused = Tally()
            try await withPool({
                $0.poolSize = 1
                $0.waitLimit = 2
            }) { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    try await pool.transaction { _ in
                        for _ in 0..<5 {
                            group.addTask {
                                let error = await postgresError { try await pool.query("SELECT 1") }
                                if error?.kind == .poolExhausted { await refused.add() }
                            }
                        }
                        // While the lease is held, two wait and nothing else can happen to the others.
                        try await eventually("three refusals") { await refused.count == 3 }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(await refused.count == 3)
        }

        @Test func cancelledWaiterLeavesTheQueue() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                try await pool.transaction { _ in
                    let waiters = (0..<20).map { _ in Task { try await pool.transaction { _ in } } }
                    for waiter in waiters { waiter.cancel() }
                    for waiter in waiters {
                        await #expect(throws: CancellationError.self) { try await waiter.value }
                    }
                }
                // No seat was lost to one of them.
                try await pool.transaction { _ = try await $0.query("SELECT 1") }
            }
        }

        @Test func callsAndLeasesShareOneConnection() async throws {
            let served = Tally()
            let id: Statement = "SELECT pg_current_xact_id()::text"
            try await withPool({ $0.poolSize = 1 }) { pool in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for n in 0..<200 {
                        group.addTask {
                            if n % 2 == 0 {
                                let ids = try await pool.transaction { transaction in
                                    try await [transaction.query(id), transaction.query(id)]
                                }
                                // One transaction: nobody else's statement came in between and ended it.
                                if try ids[0][0].text(0) != ids[1][0].text(0) {
                                    throw NotInTime(description: "order")
                                }
                            } else {
                                _ = try await pool.query("SELECT 1")
                            }
                            await served.add()
                        }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(await served.count == 200)
        }

        @Test func closedPoolRefusesAndEndsItsSessions() async throws {
            try await withDatabase { database in
                let pool = PostgresPool(database.configuration, logger: quiet)
                try await withPool(on: database.configuration) { other in
                    let running = try await other.transaction { transaction in
                        _ = try await transaction.query("SELECT pg_advisory_xact_lock(4711)")
                        let running = Task { try await pool.query("SELECT pg_advisory_lock(4711), 9 AS n") }
                        try await eventually("the statement runs") {
                            try await transaction.query(
                                """
                                SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                                """
                            ).count == 1
                        }
                        return running
                    }
                    // The lock is free only now: what runs ends while the pool closes, or right before.
                    await pool.close()
                    let error = await postgresError { try await pool.query("SELECT 1") }
                    #expect(error?.kind == .closed)
                    let lease = await postgresError { try await pool.transaction { _ in } }
                    #expect(lease?.kind == .closed)
                    try await eventually("the end of the sessions") {
                        try await other.query(
                            """
                            SELECT 1 FROM pg_stat_activity
                             WHERE datname = current_database() AND pid <> pg_backend_pid()
                            """
                        ).isEmpty
                    }
                    // What was under way came to its end first.
                    #expect(try await running.value[0].int("n") == 9)
                }
            }
        }

        @Test func forgottenPoolEndsItsThreads() async throws {
            try await withDatabase { database in
                var pool: PostgresPool? = PostgresPool(database.configuration, logger: quiet)
                _ = try await pool?.query("SELECT 1")
                pool = nil
                try await withPool(on: database.configuration) { other in
                    try await eventually("the end of the sessions") {
                        try await other.query(
                            """
                            SELECT 1 FROM pg_stat_activity
                             WHERE datname = current_database() AND pid <> pg_backend_pid()
                            """
                        ).isEmpty
                    }
                }
            }
        }
    }

    /// The decisions of the pool, as stories of wishes and seats.
    @Suite struct PoolSeatsTests {
        @Test func callsSpreadAndLeasesExclude() {
            let seats = Seats(count: 2)
            #expect(seats.take(.share) == 0)
            #expect(seats.take(.share) == 1)
            #expect(seats.take(.share) == 0)
            // The less used one; a lease may join calls that are under way.
            #expect(seats.take(.lease) == 1)
            #expect(seats.take(.share) == 0)
            #expect(seats.take(.lease) == 0)
            #expect(seats.take(.lease) == nil)
            #expect(seats.take(.share) == nil)
            #expect(seats.seats.leased == 2)
        }

        @Test func returnedSeatGoesToTheFirstWaiters() {
            let seats = Seats(count: 1)
            #expect(seats.take(.lease) == 0)
            #expect(seats.wait(1, .share) && seats.wait(2, .share) && seats.wait(3, .lease))
            #expect(seats.wait(4, .share))
            #expect(!seats.wait(5, .share))
            #expect(seats.giveBack(0, .lease) == [1, 2, 3])
            // The lease holds the seat: the last one still waits, and no newcomer overtakes it.
            #expect(seats.giveBack(0, .share) == [])
            #expect(seats.take(.share) == nil)
            #expect(seats.seats.waiting == 1)
            #expect(seats.giveBack(0, .lease) == [4])
        }

        @Test func whoGaveUpIsNotSeated() {
            let seats = Seats(count: 1)
            #expect(seats.take(.lease) == 0)
            #expect(seats.wait(1, .lease) && seats.wait(2, .lease))
            #expect(seats.forget(1))
            #expect(!seats.forget(1))
            #expect(seats.giveBack(0, .lease) == [2])
            #expect(!seats.forget(2))
            #expect(!seats.seats.isIdle)
            #expect(seats.giveBack(0, .lease) == [])
            #expect(seats.seats.isIdle)
        }

        @Test func troubleIsAvoidedUnlessNothingElseIsThere() {
            let seats = Seats(count: 2)
            seats.hasTrouble = { $0 == 0 }
            #expect(seats.take(.share) == 1)
            #expect(seats.take(.share) == 1)
            seats.hasTrouble = { _ in true }
            #expect(seats.take(.share) == 0)
        }

        @Test func sharingIsLimited() {
            let seats = Seats(count: 1)
            for _ in 0..<PoolSeats.shareLimit { #expect(seats.take(.share) == 0) }
            #expect(seats.take(.share) == nil)
            #expect(seats.wait(1, .share))
            #expect(seats.giveBack(0, .share) == [1])
        }
    }
}

private actor Tally {
    var count = 0
    func add() { count += 1 }
}

/// A pool's seats as a reference, so that an expectation can act on them.
private final class Seats {
    var seats: PoolSeats
    var hasTrouble: (Int) -> Bool = { _ in false }

    init(count: Int, waitLimit: Int = 4) { seats = PoolSeats(count: count, waitLimit: waitLimit) }

    func take(_ wish: PoolSeats.Wish) -> Int? { seats.take(wish, hasTrouble: hasTrouble) }
    func wait(_ id: Int, _ wish: PoolSeats.Wish) -> Bool { seats.wait(id, for: wish) }
    func forget(_ id: Int) -> Bool { seats.forget(id) }
    func giveBack(_ seat: Int, _ wish: PoolSeats.Wish) -> [Int] {
        seats.giveBack(seat, wish, hasTrouble: hasTrouble).map(\.id)
    }
}
