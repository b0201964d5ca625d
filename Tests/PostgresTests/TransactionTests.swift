import Logging
import Testing

@testable import Postgres

extension PostgresTests {
    @Suite struct TransactionTests {
        private static let table: Statement = """
            CREATE TABLE items (id int8 PRIMARY KEY, note text,
                CONSTRAINT items_note_unique UNIQUE (note) DEFERRABLE INITIALLY IMMEDIATE)
            """
        private static let insert: Statement = "INSERT INTO items (id, note) VALUES ($1, $2)"
        private static let count: Statement = "SELECT count(*) AS n FROM items"

        private func withItems(_ body: (PostgresPool) async throws -> Void) async throws {
            try await withPool { pool in
                _ = try await pool.query(Self.table)
                try await body(pool)
            }
        }

        private func expectItems(
            _ expected: Int, _ pool: PostgresPool, at location: SourceLocation = #_sourceLocation
        ) async throws {
            let count = try await pool.query(Self.count)[0].int("n")
            #expect(count == expected, sourceLocation: location)
        }

        @Test func commits() async throws {
            try await withItems { pool in
                let affected = try await pool.transaction { transaction in
                    #expect(try await transaction.query(Self.insert, [.int(1), .text("a")]).affected == 1)
                    let rows = try await transaction.pipeline([
                        (Self.insert, [.int(2), .text("b")]), (Self.count, []),
                    ])
                    #expect(rows.count == 2)
                    #expect(try rows[1][0].int("n") == 2)
                    return rows[0].affected
                }
                #expect(affected == 1)
                try await expectItems(2, pool)
            }
        }

        @Test func rollsBackWhenTheBodyThrows() async throws {
            struct Refused: Error {}
            try await withItems { pool in
                await #expect(throws: Refused.self) {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(Self.insert, [.int(1), .text("a")])
                        throw Refused()
                    }
                }
                let left = try await sessions(pool, "idle in transaction")
                #expect(left == 0)
                try await expectItems(0, pool)
            }
        }

        @Test func enqueuedGoesOutWithCommit() async throws {
            try await withItems { pool in
                try await pool.transaction { transaction in
                    _ = try await transaction.query(Self.insert, [.int(1), .text("a")])
                    try transaction.enqueue(Self.insert, [.int(2), .text("b")])
                    try transaction.enqueue(Self.insert, [.int(3), .text("c")])
                }
                try await expectItems(3, pool)
                try await pool.transaction { transaction in
                    try transaction.enqueue(Self.insert, [.int(4), .text("d")])
                }
                try await expectItems(4, pool)
                try await pool.transaction { _ in }
                #expect(throws: PostgresError.self) { try EncodedParameters([.text("\0")]) }
            }
        }

        @Test func enqueuedFailureRollsEverythingBack() async throws {
            try await withItems { pool in
                let mixed = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(Self.insert, [.int(1), .text("a")])
                        try transaction.enqueue(Self.insert, [.int(1), .text("b")])
                        try transaction.enqueue(Self.insert, [.int(2), .text("c")])
                    }
                }
                #expect(mixed?.constraint == "items_pkey")
                let alone = await postgresError {
                    try await pool.transaction { transaction in
                        try transaction.enqueue(Self.insert, [.int(1), .text("a")])
                        try transaction.enqueue(Self.insert, [.int(1), .text("b")])
                    }
                }
                #expect(alone?.sqlState == "23505")
                try await expectItems(0, pool)
            }
        }

        @Test func enqueuedGoesOutBeforeTheNextCall() async throws {
            try await withItems { pool in
                let seen = try await pool.transaction { transaction in
                    try transaction.enqueue(Self.insert, [.int(1), .text("a")])
                    return try await transaction.query(Self.count)[0].int("n")
                }
                #expect(seen == 1)
            }
        }

        @Test func errorInsideKeepsTheConnection() async throws {
            try await withItems { pool in
                let error = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(Self.insert, [.int(1), .text("a")])
                        _ = try await transaction.query("SELECT 1/0")
                    }
                }
                #expect(error?.sqlState == "22012")
                #expect(error?.isRetryable == false)
                let before = try await pool.query("SELECT pg_backend_pid() AS pid")[0].int("pid")
                let after = try await pool.transaction {
                    try await $0.query("SELECT pg_backend_pid() AS pid")[0].int("pid")
                }
                #expect(before == after)
                try await expectItems(0, pool)
            }
        }

        /// A body that swallows the failure of a call must not look as if it had committed.
        @Test func swallowedErrorStillFails() async throws {
            try await withItems { pool in
                let error = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(Self.insert, [.int(1), .text("a")])
                        _ = try? await transaction.query("SELECT 1/0")
                        let again = await postgresError { try await transaction.query(Self.count) }
                        #expect(again?.sqlState == "22012")
                    }
                }
                #expect(error?.sqlState == "22012")
                try await expectItems(0, pool)
            }
        }

        @Test func pipelineKeepsTheFirstError() async throws {
            try await withItems { pool in
                let error = await postgresError {
                    try await pool.pipeline([
                        (Self.insert, [.int(1), .text("a")]), (Self.insert, [.int(1), .text("b")]),
                        ("SELECT 1/0", []), (Self.insert, [.int(2), .text("c")]),
                    ])
                }
                #expect(error?.constraint == "items_pkey")
                #expect(error?.description.contains("23505") == true)
                try await expectItems(0, pool)
                let rows = try await pool.pipeline([
                    (Self.insert, [.int(1), .text("a")]), (Self.insert, [.int(2), .text("b")]),
                    (Self.count, []),
                ])
                #expect(try rows[2][0].int("n") == 2)
                #expect(try await pool.pipeline([]).isEmpty)
            }
        }

        @Test func violationNamesTheConstraint() async throws {
            try await withItems { pool in
                _ = try await pool.query(Self.insert, [.int(1), .text("secret")])
                let error = await postgresError {
                    try await pool.query(Self.insert, [.int(2), .text("secret")])
                }
                #expect(error?.kind == .server("23505"))
                #expect(error?.constraint == "items_note_unique")
                #expect(error.map { "\($0)".contains("secret") } == false)
            }
        }

        /// A deferred constraint fails when the server commits, after the statement itself succeeded.
        @Test func failureAtTheCommitIsCertain() async throws {
            try await withItems { pool in
                _ = try await pool.pipeline([
                    ("ALTER TABLE items DROP CONSTRAINT items_note_unique", []),
                    ("ALTER TABLE items ADD CONSTRAINT late UNIQUE (note) DEFERRABLE INITIALLY DEFERRED", []),
                ])
                _ = try await pool.query(Self.insert, [.int(1), .text("a")])
                let alone = await postgresError { try await pool.query(Self.insert, [.int(2), .text("a")]) }
                #expect(alone?.constraint == "late")
                let inside = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(Self.insert, [.int(2), .text("a")])
                    }
                }
                #expect(inside?.constraint == "late")
                try await expectItems(1, pool)
            }
        }

        @Test func finishedTransactionRefusesCalls() async throws {
            try await withItems { pool in
                let kept = try await pool.transaction { transaction in
                    _ = try await transaction.query(Self.count)
                    return transaction
                }
                let error = await postgresError { try await kept.query(Self.count) }
                #expect(error?.kind == .closed)
                let enqueued = await postgresError { try kept.enqueue(Self.count) }
                #expect(enqueued?.kind == .closed)
            }
        }

        @Test func finishRunsTheLastStatementWithTheCommit() async throws {
            struct Late: Error {}
            try await withItems { pool in
                let returning: Statement = "INSERT INTO items (id, note) VALUES ($1, $2) RETURNING id"
                let ids = try await pool.transaction { transaction in
                    _ = try await transaction.query(Self.insert, [.int(1), .text("a")])
                    try transaction.enqueue(Self.insert, [.int(2), .text("b")])
                    return try await transaction.finish(returning, [.int(3), .text("c")]).map {
                        try $0.int("id")
                    }
                }
                #expect(ids == [3])
                let alone = try await pool.transaction { transaction in
                    try transaction.enqueue(Self.insert, [.int(4), .text("d")])
                    return try await transaction.finish(returning, [.int(5), .text("e")])[0].int("id")
                }
                #expect(alone == 5)
                try await expectItems(5, pool)

                let after = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.finish(returning, [.int(6), .text("f")])
                        _ = try await transaction.query(Self.count)
                    }
                }
                #expect(after?.kind == .closed)
                await #expect(throws: Late.self) {
                    try await pool.transaction { transaction in
                        _ = try await transaction.finish(returning, [.int(7), .text("g")])
                        throw Late()
                    }
                }
                try await expectItems(7, pool)
            }
        }

        @Test(arguments: [true, false])
        func failedFinishRollsBackEvenWhenSwallowed(_ callsBefore: Bool) async throws {
            try await withItems { pool in
                _ = try await pool.query(Self.insert, [.int(1), .text("a")])
                let error = await postgresError {
                    try await pool.transaction { transaction in
                        if callsBefore {
                            _ = try await transaction.query(Self.insert, [.int(2), .text("b")])
                        }
                        _ = try? await transaction.finish(Self.insert, [.int(1), .text("c")])
                    }
                }
                #expect(error?.constraint == "items_pkey")
                try await expectItems(1, pool)
            }
        }

        @Test func callsAtOnceShareTheTransaction() async throws {
            try await withPool { pool in
                for _ in 0..<100 {
                    let ids = try await pool.transaction { transaction in
                        let id: Statement = "SELECT pg_current_xact_id()::text AS id"
                        async let one = transaction.query(id)
                        async let two = transaction.query(id)
                        return try await [one, two].map { try $0[0].text("id") }
                    }
                    try #require(ids[0] == ids[1])
                }
            }
        }

        @Test func worksFromAnActorWithItsState() async throws {
            actor Counter {
                var seen = 0
                func run(_ pool: PostgresPool) async throws -> Int {
                    try await pool.transaction { transaction in
                        seen += try await transaction.query("SELECT 5 AS n")[0].int("n")
                    }
                    return seen
                }
            }
            try await withPool { pool in
                let seen = try await Counter().run(pool)
                #expect(seen == 5)
            }
        }

        @Test func deadlockIsRetryable() async throws {
            try await withItems { pool in
                _ = try await pool.pipeline([
                    (Self.insert, [.int(1), .text("a")]), (Self.insert, [.int(2), .text("b")]),
                ])
                let bothHold = Barrier(2)
                let update: Statement = "UPDATE items SET note = note || 'x' WHERE id = $1"
                func lock(_ first: Int, _ second: Int) async -> PostgresError? {
                    await postgresError {
                        try await pool.transaction { transaction in
                            _ = try await transaction.query(update, [.int(first)])
                            await bothHold.arrive()
                            _ = try await transaction.query(update, [.int(second)])
                        }
                    }
                }
                async let one = lock(1, 2)
                async let two = lock(2, 1)
                let errors = await [one, two].compactMap { $0 }
                #expect(errors.count == 1)
                #expect(errors.first?.sqlState == "40P01")
                #expect(errors.first?.isRetryable == true)
            }
        }
    }
}

/// Lets tasks go on when so many have arrived.
actor Barrier {
    private var missing: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { missing = count }

    func arrive() async {
        missing -= 1
        if missing <= 0 {
            for continuation in waiting { continuation.resume() }
            waiting = []
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }
}

/// How many sessions of this test are in a state of `pg_stat_activity`.
func sessions(_ pool: PostgresPool, _ state: String) async throws -> Int {
    try await pool.query(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND state = $1",
        [.text(state)])[0].int("n")
}
