package import Operations
package import Postgres

/// The pace of writes to each tenant, shared by all processes: one row a tenant says from when on the next write may
/// begin. Whoever wants to write reserves the next moments and waits for them by itself, so that a tenant whose
/// writes wait holds up nobody else's.
package struct WriteBudget: Sendable {
    private let reservations: GroupCommit<TenantID, Double>
    private let pool: PostgresPool

    /// `perSecond` writes a second on each tenant, of all processes together when all say the same.
    package init(pool: PostgresPool, perSecond: Int) {
        self.pool = pool
        let step = 1 / Double(perSecond)
        reservations = GroupCommit { tenants in
            let places = Dictionary(tenants.map { ($0, 1) }, uniquingKeysWith: +)
            let ids = places.keys.map(\.uuid)
            let rows = try await pool.pipeline([
                (Self.enter, [.uuids(ids)]), (Self.lock, [.uuids(ids)]),
                (Self.reserve, [.uuids(ids), .ints(places.values.map(\.self)), .double(step)]),
            ])[2]
            var first: [TenantID: Double] = [:]
            for row in rows { first[TenantID(try row.uuid("tenant_id"))] = try row.double("first") }
            return tenants.map { tenant in
                defer { first[tenant]? += step }
                return max(0, first[tenant] ?? 0)
            }
        }
    }

    private static let enter: Statement = """
        INSERT INTO write_budgets (tenant_id, free_at)
        SELECT id, clock_timestamp() FROM unnest($1::uuid[]) AS t (id) ORDER BY id ON CONFLICT DO NOTHING
        """

    private static let lock: Statement = """
        SELECT tenant_id FROM write_budgets WHERE tenant_id = ANY ($1::uuid[]) ORDER BY tenant_id
        FOR NO KEY UPDATE
        """

    private static let reserve: Statement = """
        UPDATE write_budgets b
        SET free_at = greatest(b.free_at, clock_timestamp()) + make_interval(secs => t.places * $3::float8)
        FROM unnest($1::uuid[], $2::int[]) AS t (id, places) WHERE b.tenant_id = t.id
        RETURNING b.tenant_id,
                  extract(epoch FROM b.free_at - clock_timestamp())::float8 - t.places * $3::float8 AS first
        """

    /// Reserves the next write to a tenant. Returns how long to wait for it, in seconds.
    package func reserve(_ tenant: TenantID) async throws -> Double {
        try await reservations.submit(tenant)
    }

    private static let pause: Statement = """
        INSERT INTO write_budgets AS b (tenant_id, free_at)
        VALUES ($1::uuid, clock_timestamp() + make_interval(secs => $2::float8))
        ON CONFLICT (tenant_id) DO UPDATE SET free_at = greatest(b.free_at, excluded.free_at)
        """

    /// Lets no write to a tenant begin for so many seconds: its provider asked for it.
    package func pause(_ tenant: TenantID, seconds: Double) async throws {
        _ = try await pool.query(Self.pause, [.uuid(tenant.uuid), .double(seconds)])
    }
}
