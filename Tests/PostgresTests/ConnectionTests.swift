import Waiting
import Foundation
import Testing

@testable import Postgres

extension PostgresTests {
    /// A connection that breaks, falls silent, or comes back.
    @Suite struct ConnectionTests {
        private static let table: Statement = "CREATE TABLE items (id int8 PRIMARY KEY)"
        private static let insert: Statement = "INSERT INTO items (id) VALUES ($1)"
        private static let count: Statement = "SELECT count(*) AS n FROM items"
        private func expectItems(
            _ expected: Int, _ pool: PostgresPool, at location: SourceLocation = #_sourceLocation
        ) async throws {
            let count = try await pool.query(Self.count)[0].int("n")
            #expect(count == expected, sourceLocation: location)
        }

        private func expectAnswer(
            _ pool: PostgresPool, at location: SourceLocation = #_sourceLocation
        ) async throws {
            let answer = try await pool.query("SELECT 42 AS n")[0].int("n")
            #expect(answer == 42, sourceLocation: location)
        }

        /// Waits for as long as another transaction holds the lock.
        private static let lock: Statement = "SELECT pg_advisory_xact_lock(4711)"

        @Test func manyTasksShareOneConnection() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                    for n in 0..<64 {
                        group.addTask {
                            var sum = 0
                            for round in 0..<50 {
                                let row = try await pool.query("SELECT $1::int8 AS n", [.int(n * round)])[0]
                                let back = try row.int("n")
                                if back != n * round {
                                    throw NotInTime(description: "\(n * round), got \(back)")
                                }
                                sum += back
                            }
                            return sum
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(sum == 64 * 63 / 2 * (50 * 49 / 2))
                let connections = try await pool.query(
                    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()")
                #expect(try connections[0].int("n") == 1)
            }
        }

        /// A failure in one unit must not touch its neighbours on the same connection.
        @Test func failuresStayInTheirUnit() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                let failed = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for n in 0..<200 {
                        group.addTask {
                            let error = await postgresError {
                                try await pool.query("SELECT 1 / $1::int4 AS n", [.int(n % 3)])
                            }
                            return error?.sqlState == "22012"
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(failed == 67)
            }
        }

        /// While a statement is being prepared, and that is skipped because of an earlier failure, others
        /// that want it must not depend on it.
        @Test func skippedPreparationHarmsNobody() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                let statement: Statement = "SELECT 'prepared late' AS text"
                async let failing = postgresError {
                    try await pool.pipeline([("SELECT 1/0", []), (statement, [])])
                }
                async let first = pool.query(statement)
                async let second = pool.query(statement)
                #expect(await failing?.sqlState == "22012")
                let texts = try await [first, second, pool.query(statement)].map { try $0[0].text(0) }
                #expect(texts == ["prepared late", "prepared late", "prepared late"])
            }
        }

        @Test func statementTimeout() async throws {
            try await withPool({ $0.statementTimeout = .milliseconds(300) }) { pool in
                try await pool.transaction { holder in
                    _ = try await holder.query(Self.lock)
                    let error = await postgresError { try await pool.query(Self.lock) }
                    #expect(error?.sqlState == "57014")
                    #expect(error?.isRetryable == true)
                }
                try await expectAnswer(pool)
            }
        }

        @Test func lockTimeout() async throws {
            try await withPool({ $0.lockTimeout = .milliseconds(100) }) { pool in
                _ = try await pool.query(Self.table)
                try await pool.transaction { holder in
                    _ = try await holder.query("LOCK TABLE items")
                    let error = await postgresError { try await pool.query(Self.insert, [.int(1)]) }
                    #expect(error?.sqlState == "55P03")
                    #expect(error?.isRetryable == true)
                }
            }
        }

        @Test func idleTransactionIsEndedByTheServer() async throws {
            try await withPool({ $0.idleInTransactionTimeout = .milliseconds(100) }) { pool in
                let error = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query("SELECT 1")
                        try await eventually("the end of the idle session") {
                            try await sessions(pool, "idle in transaction") == 0
                        }
                        _ = try await transaction.query("SELECT 1")
                    }
                }
                #expect(error?.isRetryable == true)
                try await expectAnswer(pool)
            }
        }

        @Test func backendTerminatedWhileAStatementRuns() async throws {
            try await withPool { pool in
                try await pool.transaction { holder in
                    _ = try await holder.query(Self.lock)
                    async let waiting = postgresError { try await pool.query(Self.lock) }
                    try await eventually("a session to terminate") {
                        try await holder.query(.waiting).count == 1
                    }
                    let error = await waiting
                    #expect(error?.sqlState == "57P01")
                    #expect(error?.isRetryable == true)
                }
                try await expectAnswer(pool)
            }
        }

        /// The server ends the session in the middle of a transaction; nothing may run outside of it.
        @Test func backendTerminatedInsideATransaction() async throws {
            try await withPool { pool in
                _ = try await pool.query(Self.table)
                let error = await postgresError {
                    try await pool.transaction { transaction in
                        _ = try await transaction.query(Self.insert, [.int(1)])
                        try await terminate(pool, .idleInTransaction)
                        _ = try await transaction.query(Self.insert, [.int(2)])
                    }
                }
                #expect(error?.isRetryable == true)
                try await expectItems(0, pool)
            }
        }

        @Test func idleSessionThatEndedIsReplaced() async throws {
            try await withPool { pool in
                let pid: Statement = "SELECT pg_backend_pid() AS pid"
                // The transaction holds one of the two connections: the calls beside it share the other.
                let (old, new) = try await pool.transaction { transaction in
                    let old = try await pool.query(pid)[0].int("pid")
                    _ = try await transaction.query("SELECT pg_terminate_backend($1)", [.int(old)])
                    try await eventually("the end of the session") {
                        // Inside a transaction the view shows what it showed first.
                        _ = try await transaction.query("SELECT pg_stat_clear_snapshot()")
                        return try await transaction.query(
                            "SELECT 1 FROM pg_stat_activity WHERE pid = $1", [.int(old)]
                        ).isEmpty
                    }
                    // The client hears of the end a moment later. A call in between fails as retryable, and no
                    // other way; the next ones have a new session.
                    var new: Int?
                    try await eventually("a new session") {
                        do { new = try await pool.query(pid)[0].int("pid") } catch let error as PostgresError
                        {
                            #expect(error.isRetryable)
                        }
                        return new != nil
                    }
                    return (old, new)
                }
                #expect(new != old)
            }
        }

        @Test func silentPeerMeetsTheDeadline() async throws {
            try await withProxy({ $0.clientDeadline = .seconds(1) }) { _, proxy, configuration in
                try await withPool(on: configuration) { pool in
                    _ = try await pool.query(Self.table)
                    proxy.mode = .silent
                    let start = ContinuousClock.now
                    let read = await postgresError { try await pool.query(Self.count) }
                    #expect(read?.kind == .deadline)
                    #expect(read?.isRetryable == true)
                    #expect(ContinuousClock.now - start < .seconds(5))
                    proxy.mode = .forward
                    try await expectItems(0, pool)
                    proxy.mode = .silent
                    let write = await postgresError { try await pool.query(Self.insert, [.int(1)]) }
                    #expect(write?.kind == .commitUnknown)
                    #expect(write?.isRetryable == false)
                    proxy.mode = .forward
                    let inside = await postgresError {
                        try await pool.transaction { transaction in
                            _ = try await transaction.query(Self.insert, [.int(2)])
                            proxy.mode = .silent
                            _ = try await transaction.query(Self.insert, [.int(3)])
                        }
                    }
                    #expect(inside?.kind == .deadline)
                    proxy.mode = .forward
                    try await expectItems(0, pool)
                }
            }
        }

        @Test func silentPeerWhileConnecting() async throws {
            try await withProxy({ $0.connectTimeout = .milliseconds(500) }) { _, proxy, configuration in
                proxy.mode = .silent
                try await withPool(on: configuration) { pool in
                    let error = await postgresError { try await pool.query("SELECT 1") }
                    #expect(error?.kind == .connection)
                    #expect(error?.isRetryable == true)
                    proxy.mode = .forward
                    try await expectAnswer(pool)
                }
            }
        }

        /// The reply to COMMIT is lost after the server sent it: unknown to the caller, and yet committed.
        @Test func connectionCutAtTheReplyToCommit() async throws {
            try await withProxy({ $0.poolSize = 1 }) { _, proxy, configuration in
                try await withPool(on: configuration) { pool in
                    _ = try await pool.query(Self.table)
                    let inside = await postgresError {
                        try await pool.transaction { transaction in
                            _ = try await transaction.query(Self.insert, [.int(1)])
                            proxy.mode = .cutAtReply
                        }
                    }
                    #expect(inside?.kind == .commitUnknown)
                    #expect(inside?.isRetryable == false)
                    try await expectAnswer(pool)
                    proxy.mode = .cutAtReply
                    let alone = await postgresError { try await pool.query(Self.insert, [.int(2)]) }
                    #expect(alone?.kind == .commitUnknown)
                    try await expectAnswer(pool)
                    let enqueued = await postgresError {
                        try await pool.transaction { transaction in
                            try transaction.enqueue(Self.insert, [.int(3)])
                            proxy.mode = .cutAtReply
                        }
                    }
                    #expect(enqueued?.kind == .commitUnknown)
                    try await expectAnswer(pool)
                    proxy.mode = .cutAtReply
                    let read = await postgresError { try await pool.query(Self.count) }
                    #expect(read?.kind == .connection)
                    try await expectItems(3, pool)
                }
            }
        }

        /// Parameters and rows larger than what the sockets and libpq buffer.
        @Test func largeValuesBothWays() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                let text = String(repeating: "0123456789abcdef", count: 500_000)
                async let one = pool.query("SELECT $1::text AS v", [.text(text)])
                async let two = pool.query("SELECT $1::text || 'x' AS v", [.text(text)])
                let lengths = try await [one, two].map { try $0[0].text("v").utf8.count }
                #expect(lengths == [text.utf8.count, text.utf8.count + 1])
            }
        }

        @Test func copyIsRefusedAndTheConnectionReplaced() async throws {
            try await withPool { pool in
                let error = await postgresError { try await pool.query("COPY (SELECT 1) TO STDOUT") }
                #expect(error?.kind == .configuration)
                try await expectAnswer(pool)
            }
        }

        /// A caller that says BEGIN by itself would hand its transaction to the next one.
        @Test func transactionLeftOpenIsThrownAway() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                let pid: Statement = "SELECT pg_backend_pid() AS pid"
                let before = try await pool.query(pid)[0].int("pid")
                _ = try await pool.query("BEGIN")
                let after = try await pool.query(pid)[0].int("pid")
                #expect(after != before)
            }
        }

        /// After a migration a prepared `SELECT *` has other columns than when it was planned.
        @Test func stalePlanIsRetryableAndMended() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                _ = try await pool.query(Self.table)
                let all: Statement = "SELECT * FROM items"
                _ = try await pool.query(all)
                _ = try await pool.query("ALTER TABLE items ADD COLUMN note text DEFAULT 'x'")
                _ = try await pool.query(Self.insert, [.int(1)])
                let error = await postgresError { try await pool.query(all) }
                #expect(error?.isRetryable == true)
                let note = try await pool.query(all)[0].text("note")
                #expect(note == "x")
            }
        }

        @Test func noServerFailsEveryCallUntilItIsThere() async throws {
            try await withDatabase { database in
                let proxy = Proxy(to: database.port)
                let port = proxy.port
                proxy.close()
                let pool = PostgresPool(database.configuration(port: port), logger: quiet)
                for _ in 0..<3 {
                    let error = await postgresError { try await pool.query("SELECT 1") }
                    #expect(error?.kind == .connection)
                    #expect(error?.isRetryable == true)
                }
                await pool.close()
            }
        }

        @Test func wrongAddressIsNotRetryableAndKeepsThePassword() async throws {
            for url in [
                "postgres://user:hun%ter2@host/name", "nonsense", "postgres://u:hunter2@h/n?no=1",
                "postgres://u:hunter2@a:1,b:2,c/n?port=1,2",
            ] {
                let pool = PostgresPool(PostgresConfiguration(url: url), logger: quiet)
                let error = await postgresError { try await pool.query("SELECT 1") }
                #expect(error?.kind == .configuration)
                #expect(error?.isRetryable == false)
                #expect(error.map { "\($0)".contains("ter2") } == false)
                await pool.close()
            }
            let configuration = PostgresConfiguration(url: "postgres://user:hunter2@host/name")
            var dumped = "\(configuration) \(String(reflecting: configuration))"
            dump(configuration, to: &dumped)
            #expect(!dumped.contains("hunter2"))
        }

        /// A session on a server that was made read-only, as an operator does to keep changes away, is given up; the
        /// next one is on a server that can be written to, or on none.
        @Test func sessionThatTakesNoChangesIsReplaced() async throws {
            try await withPool({ $0.poolSize = 1 }) { pool in
                _ = try await pool.query(Self.table)
                _ = try await pool.query("SET default_transaction_read_only = on")
                let refused = await postgresError { try await pool.query(Self.insert, [.int(1)]) }
                #expect(refused?.sqlState == "25006")
                #expect(refused?.isRetryable == true)
                _ = try await pool.query(Self.insert, [.int(1)])
                try await expectItems(1, pool)
            }
        }

        @Test func serverThatTakesNoChangesIsNotUsed() async throws {
            try await withDatabase { database in
                try await administer(
                    database.configuration.url,
                    "ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
                try await withPool(on: database.configuration) { pool in
                    let error = await postgresError { try await pool.query("SELECT 1") }
                    #expect(error?.kind == .connection)
                    #expect(error?.message.contains("read-only") == true)
                    #expect(error?.isRetryable == true)
                }
            }
        }

        @Test func sessionHasTheLimits() async throws {
            try await withDatabase { database in
                var configuration = database.configuration(adding: "options=-c%20work_mem%3D5MB")
                configuration.keepsPlans = true
                try await withPool(on: configuration) { pool in
                    let row = try await pool.query(
                        """
                        SELECT current_setting('statement_timeout') AS statement,
                               current_setting('lock_timeout') AS lock, current_setting('TimeZone') AS zone,
                               current_setting('idle_in_transaction_session_timeout') AS idle,
                               current_setting('application_name') AS name, current_setting('work_mem') AS memory,
                               current_setting('plan_cache_mode') AS plans
                        """)[0]
                    #expect(try row.text("statement") == "15s")
                    #expect(try row.text("lock") == "5s")
                    #expect(try row.text("idle") == "30s")
                    #expect(try row.text("zone") == "UTC")
                    #expect(try row.text("name") == database.name)
                    #expect(try row.text("memory") == "5MB")
                    #expect(try row.text("plans") == "force_generic_plan")
                }
            }
        }

        @Test func memoryStaysFlat() async throws {
            try await withPool { pool in
                let ids = (0..<20).map { _ in UUID() }
                func run(_ count: Int) async throws {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<8 {
                            group.addTask {
                                for _ in 0..<count / 8 {
                                    let rows = try await pool.query(
                                        "SELECT id::text FROM unnest($1::uuid[]) AS id", [.uuids(ids)])
                                    _ = try rows[19].text(0)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                try await run(4_000)
                // A leak of one result or parameter text for each would be 20 MB and more, every time. Other
                // suites of the process may grow meanwhile, but hardly three times.
                var growth: [Int] = []
                repeat {
                    let before = residentBytes()
                    try await run(20_000)
                    growth.append(residentBytes() - before)
                } while growth.last! >= 8 << 20 && growth.count < 3
                #expect(growth.last! < 8 << 20, "grew by \(growth) bytes")
            }
        }

        /// Ends the one session of this database that `query` finds.
        private func terminate(_ pool: PostgresPool, _ query: Statement) async throws {
            try await eventually("a session to terminate") { try await pool.query(query).count == 1 }
        }
    }
}

extension Statement {
    fileprivate static let waiting: Statement = """
        SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """
    fileprivate static let idleInTransaction: Statement = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'idle in transaction'
        """
}

/// The memory of this process that is in RAM.
private func residentBytes() -> Int {
    let fields =
        (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 : 0
}
