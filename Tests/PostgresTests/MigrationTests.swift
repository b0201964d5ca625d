import Waiting
import Testing

@testable import Postgres

extension PostgresTests {
    @Suite struct MigrationTests {
        private let one = Migration(
            version: 1, name: "items", sql: "CREATE TABLE items (id int8);\nINSERT INTO items VALUES (1);")
        private let two = Migration(version: 2, name: "note", sql: "ALTER TABLE items ADD COLUMN note text")

        private func apply(_ migrations: [Migration], _ database: TestDatabase) async throws -> [Migration] {
            try await Migrations.apply(migrations, to: database.configuration, logger: quiet)
        }

        private func pending(_ migrations: [Migration], _ database: TestDatabase) async throws -> [Migration]
        {
            try await Migrations.pending(migrations, in: database.configuration, logger: quiet)
        }

        private func expectItems(_ expected: Int, _ database: TestDatabase) async throws {
            let count = try await withPool(on: database.configuration) {
                try await $0.query("SELECT count(*) AS n FROM items")[0].int("n")
            }
            #expect(count == expected)
        }

        @Test func appliesInOrderAndOnlyOnce() async throws {
            try await withDatabase { database in
                let before = try await pending([one, two], database)
                #expect(before == [one, two])
                let first = try await apply([one], database)
                #expect(first == [one])
                let second = try await apply([one, two], database)
                #expect(second == [two])
                let third = try await apply([one, two], database)
                #expect(third == [])
                let after = try await pending([one, two], database)
                #expect(after == [])
                try await expectItems(1, database)
                let rows = try await withPool(on: database.configuration) {
                    try await $0.query(
                        "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY 1")
                }
                #expect(try rows.map { try $0.int("version") } == [1, 2])
                #expect(try rows.map { try $0.text("name") } == ["items", "note"])
                #expect(try rows.allSatisfy { try $0.text("checksum").count == 64 })
                _ = try rows[0].date("applied_at")
            }
        }

        @Test func twoProgramsAtOnce() async throws {
            try await withDatabase { database in
                let held = Migration(
                    version: 1, name: "held",
                    sql: "CREATE TABLE items (id int8); SELECT pg_advisory_xact_lock(4711)")
                try await withPool(on: database.configuration) { pool in
                    let programs = try await pool.transaction { transaction in
                        _ = try await transaction.query("SELECT pg_advisory_xact_lock(4711)")
                        let programs = (0..<2).map { _ in Task { try await apply([held, two], database) } }
                        // One in the middle of the migration, the other before it.
                        try await eventually("both wait") {
                            try await transaction.query(
                                """
                                SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                                """
                            ).count == 2
                        }
                        return programs
                    }
                    let both = [try await programs[0].value, try await programs[1].value]
                    #expect(both.contains([held, two]))
                    #expect(both.contains([]))
                }
            }
        }

        @Test func changedTextIsRefused() async throws {
            try await withDatabase { database in
                _ = try await apply([one], database)
                let changed = Migration(version: 1, name: "items", sql: one.sql + " ")
                let error = await postgresError { try await apply([changed, two], database) }
                #expect(error?.kind == .configuration)
                #expect(error?.message.contains("0001 items") == true)
                let asked = await postgresError { try await pending([changed], database) }
                #expect(asked?.kind == .configuration)
                let applied = try await apply([one, two], database)
                #expect(applied == [two])
            }
        }

        @Test func gapsAndOlderProgramsAreRefused() async throws {
            try await withDatabase { database in
                let three = Migration(version: 3, name: "late", sql: "SELECT 1")
                let gap = await postgresError { try await apply([one, three], database) }
                #expect(gap?.kind == .configuration)
                #expect(gap?.message.contains("0003 late") == true)
                let none = try await pending([one], database)
                #expect(none == [one])
                _ = try await apply([one, two], database)
                let older = await postgresError { try await apply([one], database) }
                #expect(older?.kind == .configuration)
                let asked = try await pending([one], database)
                #expect(asked == [])
            }
        }

        @Test func failureNamesThePlaceAndKeepsTheEarlierOnes() async throws {
            try await withDatabase { database in
                let wrong = Migration(
                    version: 2, name: "wrong",
                    sql: "-- é\nINSERT INTO items VALUES (2);\n\nALTER TABEL items;")
                let syntax = await postgresError { try await apply([one, wrong], database) }
                #expect(syntax?.sqlState == "42601")
                #expect(syntax?.message.hasPrefix("migration 0002 wrong, line 4: ") == true)
                try await expectItems(1, database)
                let column = Migration(
                    version: 2, name: "column",
                    sql: "INSERT INTO items VALUES (2);\nSELECT nothing\nFROM items;")
                let unknown = await postgresError { try await apply([one, column], database) }
                #expect(unknown?.sqlState == "42703")
                #expect(unknown?.message.hasPrefix("migration 0002 column, line 2: ") == true)
                let atRun = Migration(
                    version: 2, name: "run",
                    sql: "INSERT INTO items VALUES (2);\nSELECT 1 / (id - 1) FROM items;")
                let division = await postgresError { try await apply([one, atRun], database) }
                #expect(division?.sqlState == "22012")
                #expect(division?.message.hasPrefix("migration 0002 run, statement 2: ") == true)
                try await expectItems(1, database)
            }
        }

        @Test(arguments: ["COMMIT", "CREATE TABLE x (id int8); COMMIT", "ROLLBACK"])
        func endingTheTransactionIsRefused(_ sql: String) async throws {
            try await withDatabase { database in
                let bad = Migration(version: 1, name: "bad", sql: sql)
                let error = await postgresError { try await apply([bad], database) }
                #expect(error?.kind == .configuration)
                #expect(error?.message.contains("0001 bad") == true)
                let recorded = try await pending([bad], database)
                #expect(recorded == [bad])
            }
        }

        @Test func copyIsRefused() async throws {
            try await withDatabase { database in
                let bad = Migration(
                    version: 1, name: "bad", sql: "CREATE TABLE x (id int8); COPY x FROM STDIN")
                let error = await postgresError { try await apply([bad], database) }
                #expect(error?.kind == .configuration)
            }
        }

        @Test func settingsDoNotReachTheNextOne() async throws {
            try await withDatabase { database in
                let first = Migration(
                    version: 1, name: "path", sql: "CREATE SCHEMA other; SET search_path TO other")
                let second = Migration(version: 2, name: "table", sql: "CREATE TABLE public_items (id int8)")
                _ = try await apply([first, second], database)
                let schema = try await withPool(on: database.configuration) {
                    try await $0.query(
                        "SELECT schemaname AS s FROM pg_tables WHERE tablename = 'public_items'")[0].text("s")
                }
                #expect(schema == "public")
            }
        }

        @Test func noServerIsRetryable() async throws {
            let configuration = PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/none")
            let error = await postgresError {
                try await Migrations.apply([one], to: configuration, logger: quiet)
            }
            #expect(error?.kind == .connection)
            #expect(error?.isRetryable == true)
        }
    }
}
