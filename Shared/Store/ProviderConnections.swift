package import Operations
package import Postgres

/// A provider connection as the gateway needs it: where to call, as whom, and with which sealed credential.
package struct ProviderConnection: Sendable, Hashable {
    /// A credential that only the gateway's private key opens.
    package struct Credential: Sendable, Hashable {
        /// Counts the credentials that the connection has had; a part of what was sealed.
        package let version: Int
        /// The key pair it was sealed to.
        package let keyID: String
        package let sealed: [UInt8]

        package init(version: Int, keyID: String, sealed: [UInt8]) {
            self.version = version
            self.keyID = keyID
            self.sealed = sealed
        }
    }

    package let id: ConnectionID
    package let tenantID: TenantID
    /// The stored name of the national cloud, or of the sandbox.
    package let cloud: String
    package let entraTenantID: String
    package let clientID: String
    /// Nil while none was set.
    package let credential: Credential?
}

/// Reads connections with their sealed credentials, which takes the database role `tenantatlas_gateway`, and writes what
/// is found out about them.
package struct ProviderConnections: Sendable {
    /// What a check found.
    package struct CheckResult: Sendable, Hashable {
        package let health: ConnectionHealth
        /// Why it is not healthy.
        package let reason: ProviderFailure?
        /// Whether the permissions that changes need are there.
        package let permitsChanges: Bool

        package init(health: ConnectionHealth, reason: ProviderFailure?, permitsChanges: Bool) {
            self.health = health
            self.reason = reason
            self.permitsChanges = permitsChanges
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let find: Statement = """
        SELECT c.id, c.tenant_id, c.cloud, c.entra_tenant_id, c.client_id, k.version, k.key_id, k.sealed
        FROM provider_connections c
        LEFT JOIN provider_credentials k ON k.connection_id = c.id AND k.tenant_id = c.tenant_id
        WHERE c.id = $1::uuid AND c.tenant_id = $2::uuid
        """

    /// The connection of that tenant; nil when there is none.
    package func find(_ id: ConnectionID, of tenant: TenantID) async throws -> ProviderConnection? {
        try await pool.query(Self.find, [.uuid(id.uuid), .uuid(tenant.uuid)]).first.map { row in
            ProviderConnection(
                id: ConnectionID(try row.uuid("id")), tenantID: TenantID(try row.uuid("tenant_id")),
                cloud: try row.text("cloud"), entraTenantID: try row.text("entra_tenant_id"),
                clientID: try row.text("client_id"),
                credential: try row.intOrNil("version").map { version in
                    ProviderConnection.Credential(
                        version: version, keyID: try row.text("key_id"), sealed: try row.bytes("sealed"))
                })
        }
    }

    // MARK: what a check found

    /// A check may take authority away (the write gate's), so it takes the tenant's lock as every such change.
    private static let lockTenant: Statement = "SELECT pg_advisory_xact_lock(authority_lock($1::uuid))"

    // Both join the run with the attempt that the caller believes in: a worker that was given up writes nothing.

    private static let recordHealth: Statement = """
        UPDATE provider_connections c
        SET health = $3, health_reason = $4, health_checked_at = clock_timestamp()
        FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
          AND c.id = r.connection_id AND c.tenant_id = r.tenant_id
        RETURNING c.id
        """

    private static let recordGate: Statement = """
        UPDATE tenants t
        SET write_gate_healthy = $3::bool, write_gate_checked_at = clock_timestamp(),
            authority_epoch = t.authority_epoch + (t.write_gate_healthy AND NOT $3::bool)::int
        FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running' AND t.id = r.tenant_id
        """

    /// Writes the connection's health and the tenant's write gate check, in one transaction.
    /// Throws ``CallRefusal/attemptLost`` when the run was taken away from this attempt.
    package func record(_ result: CheckResult, under permit: ExecutionPermit) async throws {
        let run = permit.execution
        let attempt: [Parameter] = [.uuid(run.runID.uuid), .int(permit.attempt)]
        let rows = try await pool.pipeline([
            (Self.lockTenant, [.uuid(run.tenantID.uuid)]),
            (
                Self.recordHealth,
                attempt + [
                    .text(result.health.rawValue), result.reason.map { .text($0.rawValue) } ?? .null,
                ]
            ),
            (Self.recordGate, attempt + [.bool(result.permitsChanges)]),
        ])
        if rows[1].isEmpty { throw CallRefusal.attemptLost }
    }
}
