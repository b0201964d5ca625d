import Fixtures
import Postgres
import Store
import Testing

@Suite("The audit's months", .serialized)
struct AuditPartitionsTests {
    @Test("a migration makes the partitions of this month and the next three")
    func months() async throws {
        try await TestDatabase.with { database in
            let expected = try await database.pool.query(
                """
                SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => m),
                               '"audit_"YYYY_MM')
                FROM generate_series(0, 3) AS m ORDER BY m
                """
            ).map { try $0.text(0) }
            #expect(try await Self.partitions(database.pool) == expected + ["audit_rest"])
            let row = try await database.pool.query(
                """
                INSERT INTO audit (action, workspace_id, details) VALUES ('x', gen_random_uuid(), '{}')
                RETURNING tableoid::regclass::text
                """)[0]
            #expect(try row.text(0) == expected[0])
        }
    }

    @Test("an audit row of a month without a partition goes to the rest")
    func rest() async throws {
        try await TestDatabase.with { database in
            let rows = try await database.pool.query(
                """
                INSERT INTO audit (at, action, workspace_id, details)
                SELECT at, 'x', gen_random_uuid(), '{}'
                FROM (VALUES (now() - interval '5 years'), (now() + interval '5 years')) AS m (at)
                RETURNING tableoid::regclass::text
                """)
            #expect(try rows.map { try $0.text(0) } == ["audit_rest", "audit_rest"])
        }
    }

    @Test("a month whose rows went to the rest keeps no other month from its partition")
    func late() async throws {
        try await TestDatabase.with { database in
            _ = try await database.pool.query(
                """
                INSERT INTO audit (at, action, workspace_id, details)
                VALUES (now() + interval '4 months', 'x', gen_random_uuid(), '{}')
                """)
            let before = try await Self.partitions(database.pool)
            _ = try await database.pool.query("SELECT make_audit_partitions(6)")
            try await AuditPartitions(pool: database.pool).make()
            #expect(try await Self.partitions(database.pool).count == before.count + 2)
            let count = try await database.pool.query("SELECT count(*) FROM audit")[0].int(0)
            #expect(count == 1)
        }
    }

    private static func partitions(_ pool: PostgresPool) async throws -> [String] {
        try await pool.query(
            """
            SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass ORDER BY 1
            """
        ).map { try $0.text(0) }
    }
}
