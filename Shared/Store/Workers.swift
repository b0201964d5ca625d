package import FoundationEssentials
package import Postgres

/// The lease of this process: as long as it is renewed, the runs that the process holds are its own.
package struct Workers: Sendable {
    private let pool: PostgresPool
    /// How long a lease lasts after each renewal, in seconds, by the database's clock.
    private let leaseSeconds: Double

    /// Leases of `leaseSeconds`; renew them at a third of that.
    package init(pool: PostgresPool, leaseSeconds: Double) {
        self.pool = pool
        self.leaseSeconds = leaseSeconds
    }

    /// Enters a new worker.
    package func register(_ id: UUID, service: String) async throws {
        _ = try await pool.query(
            """
            INSERT INTO workers (id, service, lease_until)
            VALUES ($1::uuid, $2, clock_timestamp() + make_interval(secs => $3::float8))
            """, [.uuid(id), .text(service), .double(leaseSeconds)])
    }

    /// Renews the lease. Throws ``StoreError/workerEnded`` when it had ended: the process must stop.
    package func renew(_ id: UUID) async throws {
        let rows = try await pool.query(
            """
            UPDATE workers SET lease_until = clock_timestamp() + make_interval(secs => $2::float8)
            WHERE id = $1::uuid AND ended_at IS NULL RETURNING id
            """, [.uuid(id), .double(leaseSeconds)])
        if rows.isEmpty { throw StoreError.workerEnded }
    }

    /// Gives the lease back at a graceful stop, so that whatever is left is repaired at once.
    package func end(_ id: UUID) async throws {
        _ = try await pool.query(
            "UPDATE workers SET lease_until = clock_timestamp() WHERE id = $1::uuid AND ended_at IS NULL",
            [.uuid(id)])
    }
}
