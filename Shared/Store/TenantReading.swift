package import FoundationEssentials
package import Operations
package import Postgres

/// A customer's tenant as people see it.
package struct TenantSummary: Sendable, Hashable {
    package let id: TenantID
    package let name: String
    /// Suspended also while anything above it is frozen.
    package let operability: AuthorityFacts.Operability
    package let writeGate: AuthorityFacts.WriteGate
    /// What the asking person holds on it.
    package let role: Role
}

/// A credential as people see it: nothing of what it is made of.
package struct CredentialSummary: Sendable, Hashable {
    /// Counts the credentials that the connection has had.
    package let version: Int
    /// `secret` or `certificate`.
    package let kind: String
    /// Of a certificate: the SHA-256 of its DER.
    package let thumbprint: [UInt8]?
    package let setAt: Date
    /// Nil when the operator's command set it.
    package let setBy: RunSummary.Named<Subject.User>?
    /// Nil when nobody said.
    package let expiresAt: Date?
    /// The key pair that it is sealed to.
    package let keyID: String
}

/// A provider connection as people see it.
package struct ConnectionSummary: Sendable, Hashable {
    package let id: ConnectionID
    package let displayName: String
    package let tenant: RunSummary.Named<Subject.Tenant>
    package let provider: String
    package let cloud: String
    package let entraTenantID: String
    package let entraTenantName: String
    package let clientID: String
    package let isDefault: Bool
    package let isEnabled: Bool
    /// Counts what people changed of it.
    package let revision: Int
    /// Nil when none is set.
    package let credential: CredentialSummary?
    /// What the last check found.
    package let health: ConnectionHealth
    /// A stable code; nil when it is healthy or unknown.
    package let healthReason: String?
    package let healthCheckedAt: Date?
    /// The run that is active on it now.
    package let activeRun: RunID?
}

/// Reads tenants and connections for people, of those tenants that the caller has decided on.
package struct TenantReading: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let tenants: Statement = """
        SELECT t.id, t.name, a.operability, a.write_gate_open, a.write_gate_checked_at,
               a.write_gate_healthy, a.write_gate_limit_seconds, e.role
        FROM tenants t JOIN tenant_authority a ON a.tenant_id = t.id
        CROSS JOIN LATERAL entitlement($1::uuid, t.workspace_id, t.id) e
        WHERE t.id = ANY ($2::uuid[]) AND t.id > $3::uuid
        ORDER BY t.id LIMIT $4::int
        """

    /// The tenants that are among `visible` and on which the person holds something, in the order of their
    /// ids, those after `after` first.
    package func tenants(
        _ visible: [TenantID], of user: UserID, after: TenantID?, limit: Int
    ) async throws -> Page<TenantSummary> {
        let rows = try await pool.query(
            Self.tenants,
            [
                .uuid(user.uuid), .uuids(visible.map(\.uuid)), .uuid(after?.uuid ?? Self.first),
                .int(Page<TenantSummary>.rows(for: limit)),
            ]
        ).map(TenantSummary.init)
        return Page(rows: rows, limit: limit)
    }

    private static let named: Statement = """
        SELECT id FROM tenants
        WHERE id = ANY ($1::uuid[]) AND strpos(lower(name), lower($2)) > 0 ORDER BY name, id
        """

    /// Those of `visible` whose names contain the text, in any case.
    package func named(_ text: String, among visible: [TenantID]) async throws -> [TenantID] {
        try await pool.query(Self.named, [.uuids(visible.map(\.uuid)), .text(text)]).map {
            TenantID(try $0.uuid("id"))
        }
    }

    private static let person: Statement = """
        SELECT id FROM users WHERE workspace_id = $1::uuid AND lower(name) = lower($2) LIMIT 2
        """

    /// The person or system of the workspace with this name, in any case; nil unless there is exactly one.
    package func person(_ name: String, in workspace: WorkspaceID) async throws -> UserID? {
        let found = try await pool.query(Self.person, [.uuid(workspace.uuid), .text(name)])
        return found.count == 1 ? UserID(try found[0].uuid("id")) : nil
    }

    private static let connections: Statement = """
        SELECT c.id, c.display_name, c.tenant_id, t.name AS tenant_name, c.provider, c.cloud,
               c.entra_tenant_id, c.entra_tenant_name, c.client_id, c.is_default, c.enabled, c.revision,
               k.version, k.kind, k.key_id, k.thumbprint, k.updated_at AS set_at, k.set_by, k.expires_at,
               u.name AS set_by_name,
               c.health, c.health_reason, c.health_checked_at, r.id AS active_run_id
        FROM provider_connections c JOIN tenants t ON t.id = c.tenant_id
        LEFT JOIN provider_credentials k ON k.connection_id = c.id
        LEFT JOIN users u ON u.id = k.set_by
        LEFT JOIN runs r ON r.connection_id = c.id AND r.completed_at IS NULL
        WHERE ($4::uuid IS NULL AND c.tenant_id = ANY ($1::uuid[]) AND c.id > $2::uuid) OR c.id = $4::uuid
        ORDER BY c.id LIMIT $3::int
        """

    /// The connections of the tenants, in the order of their ids.
    package func connections(
        of tenants: [TenantID], after: ConnectionID?, limit: Int
    ) async throws -> Page<ConnectionSummary> {
        let rows = try await pool.query(
            Self.connections,
            [
                .uuids(tenants.map(\.uuid)), .uuid(after?.uuid ?? Self.first),
                .int(Page<ConnectionSummary>.rows(for: limit)), .null,
            ]
        ).map(ConnectionSummary.init)
        return Page(rows: rows, limit: limit)
    }

    /// One connection; nil when there is no such one.
    package func connection(_ id: ConnectionID) async throws -> ConnectionSummary? {
        try await pool.query(
            Self.connections, [.uuids([]), .uuid(Self.first), .int(1), .uuid(id.uuid)]
        ).first.map(ConnectionSummary.init)
    }

    /// Below every id.
    static let first = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}

extension TenantSummary {
    fileprivate init(_ row: Row) throws {
        let operability = try row.text("operability")
        guard let known = AuthorityFacts.Operability(rawValue: operability) else {
            throw StoreError.unreadable("operability", operability)
        }
        let role = try row.text("role")
        guard let held = Role(rawValue: role) else { throw StoreError.unreadable("role", role) }
        self.init(
            id: TenantID(try row.uuid("id")), name: try row.text("name"), operability: known,
            writeGate: AuthorityFacts.WriteGate(
                isOpen: try row.bool("write_gate_open"),
                checkedAt: try row.dateOrNil("write_gate_checked_at"),
                isHealthy: try row.bool("write_gate_healthy"),
                limitSeconds: try row.int("write_gate_limit_seconds")),
            role: held)
    }
}

extension ConnectionSummary {
    fileprivate init(_ row: Row) throws {
        let health = try row.text("health")
        guard let known = ConnectionHealth(rawValue: health) else {
            throw StoreError.unreadable("health", health)
        }
        self.init(
            id: ConnectionID(try row.uuid("id")), displayName: try row.text("display_name"),
            tenant: RunSummary.Named(
                id: TenantID(try row.uuid("tenant_id")), name: try row.text("tenant_name")),
            provider: try row.text("provider"), cloud: try row.text("cloud"),
            entraTenantID: try row.text("entra_tenant_id"),
            entraTenantName: try row.text("entra_tenant_name"),
            clientID: try row.text("client_id"), isDefault: try row.bool("is_default"),
            isEnabled: try row.bool("enabled"), revision: try row.int("revision"),
            credential: try CredentialSummary(row),
            health: known, healthReason: try row.textOrNil("health_reason"),
            healthCheckedAt: try row.dateOrNil("health_checked_at"),
            activeRun: try row.uuidOrNil("active_run_id").map(RunID.init))
    }
}

extension CredentialSummary {
    /// Nil when there is none.
    fileprivate init?(_ row: Row) throws {
        guard let version = try row.intOrNil("version") else { return nil }
        self.init(
            version: version, kind: try row.text("kind"), thumbprint: try row.bytesOrNil("thumbprint"),
            setAt: try row.date("set_at"),
            setBy: try row.uuidOrNil("set_by").map { id in
                RunSummary.Named(id: UserID(id), name: try row.textOrNil("set_by_name") ?? "")
            }, expiresAt: try row.dateOrNil("expires_at"), keyID: try row.text("key_id"))
    }
}
