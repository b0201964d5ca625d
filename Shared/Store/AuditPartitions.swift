package import Postgres

/// Keeps the audit's monthly partitions ahead of time. Rows that find none go to the rest, so a late run loses
/// nothing.
package struct AuditPartitions: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Makes the partitions of this month and the next ones that are not there yet.
    package func make() async throws { _ = try await pool.query("SELECT make_audit_partitions()") }
}
