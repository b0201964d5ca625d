package import FoundationEssentials
package import Operations
package import Postgres

/// A credential to be, sealed for exactly its version.
package struct NewCredential: Sendable, Hashable {
    package let version: Int
    /// `secret` or `certificate`.
    package let kind: String
    /// The key pair it was sealed to.
    package let keyID: String
    package let sealed: [UInt8]
    /// Of a certificate: the SHA-256 of its DER, 32 bytes; else nil.
    package let thumbprint: [UInt8]?
    package let expiresAt: Date?

    package init(
        version: Int, kind: String, keyID: String, sealed: [UInt8], thumbprint: [UInt8]? = nil,
        expiresAt: Date? = nil
    ) {
        self.version = version
        self.kind = kind
        self.keyID = keyID
        self.sealed = sealed
        self.thumbprint = thumbprint
        self.expiresAt = expiresAt
    }
}

/// Sets credentials, and seals them anew. It can't open one.
package struct CredentialChanges: Sendable {
    package enum Answer: Sendable, Hashable {
        /// From then on nothing is called with the one before; nil when there was none.
        case set(BarrierAnswer?)
        /// The version is not the next one: another was set meanwhile.
        case stale
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let next: Statement = """
        SELECT coalesce(k.version, 0) + 1 AS version, k.key_id
        FROM provider_connections c LEFT JOIN provider_credentials k ON k.connection_id = c.id
        WHERE c.id = $1::uuid AND c.tenant_id = $2::uuid AND c.workspace_id = $3::uuid
        """

    /// The number that the next credential of a connection gets, and the key pair of the present one (nil: there is
    /// none). The number must be known before sealing, which binds it. Throws ``StoreError/notFound(_:)`` for a
    /// connection that the workspace does not have.
    package func next(
        of connection: ConnectionID, tenant: TenantID, in workspace: WorkspaceID
    ) async throws -> (version: Int, presentKey: String?) {
        let rows = try await pool.query(
            Self.next, [.uuid(connection.uuid), .uuid(tenant.uuid), .uuid(workspace.uuid)])
        guard let row = rows.first else { throw StoreError.notFound("provider connection") }
        return (try row.int("version"), try row.textOrNil("key_id"))
    }

    /// `excluded.sealed` would be read, which only the gateway's role may: the parameter stands there itself.
    private static let set: Statement = """
        WITH written AS (
            INSERT INTO provider_credentials AS k (connection_id, tenant_id, version, kind, key_id, sealed,
                                                   thumbprint, expires_at, set_by)
            SELECT c.id, c.tenant_id, $4::int, $5, $6, $7::bytea, $8::bytea, $9::timestamptz, $10::uuid
            FROM provider_connections c
            WHERE c.id = $1::uuid AND c.tenant_id = $2::uuid AND c.workspace_id = $3::uuid
              AND ($4::int = 1 OR EXISTS (SELECT FROM provider_credentials WHERE connection_id = c.id))
            ON CONFLICT (connection_id) DO UPDATE
                SET version = excluded.version, kind = excluded.kind, key_id = excluded.key_id,
                    sealed = $7::bytea, thumbprint = excluded.thumbprint,
                    expires_at = excluded.expires_at, set_by = excluded.set_by, resealed_at = NULL,
                    updated_at = clock_timestamp()
                WHERE k.version = excluded.version - 1
            RETURNING version, kind, key_id, expires_at, encode(thumbprint, 'hex') AS thumbprint
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $11, $3::uuid, $2::uuid, $10::uuid,
                   jsonb_build_object('provider_connection_id', $1::uuid, 'version', version, 'kind', kind,
                                      'key_id', key_id, 'thumbprint', thumbprint, 'expires_at', expires_at)
            FROM written
        )
        SELECT version FROM written
        """

    /// Sets a connection's credential. Call permits are opened under the same lock and tell which version holds, so no
    /// call begins with the one before once this is committed; then it waits for those on the wire.
    package func set(
        _ credential: NewCredential, of connection: ConnectionID, tenant: TenantID,
        in workspace: WorkspaceID, by actor: UserID?
    ) async throws -> Answer {
        let isSet = try await pool.transaction { transaction in
            _ = try await transaction.query(ConnectionChanges.lockAuthority, [.uuid(tenant.uuid)])
            return try await !transaction.query(
                Self.set,
                [
                    .uuid(connection.uuid), .uuid(tenant.uuid), .uuid(workspace.uuid),
                    .int(credential.version), .text(credential.kind), .text(credential.keyID),
                    .bytes(credential.sealed), credential.thumbprint.map { .bytes($0) } ?? .null,
                    credential.expiresAt.map { .timestamp($0) } ?? .null,
                    actor.map { .uuid($0.uuid) } ?? .null, .text(AuditAction.credentialSet.rawValue),
                ]
            ).isEmpty
        }
        guard isSet else { return .stale }
        guard credential.version > 1 else { return .set(nil) }
        return .set(try await Barrier(pool: pool).settle(.ofConnection, connection.uuid))
    }

    // MARK: sealing anew

    /// A sealed credential, and whom it belongs to.
    package struct Stored: Sendable, Hashable {
        package let connection: ConnectionID
        package let tenant: TenantID
        package let credential: ProviderConnection.Credential
    }

    private static let sealedToOthers: Statement = """
        SELECT connection_id, tenant_id, version, key_id, sealed FROM provider_credentials
        WHERE key_id <> $1 AND connection_id > $2::uuid ORDER BY connection_id LIMIT $3::int
        """

    /// Credentials that are sealed to another key than `key`, in the order of their connections, those after `after`.
    /// Takes the database role `tenantatlas_gateway`.
    package func sealedToOthers(
        than key: String, after: ConnectionID?, limit: Int
    ) async throws -> [Stored] {
        try await pool.query(
            Self.sealedToOthers, [.text(key), .uuid(after?.uuid ?? TenantReading.first), .int(limit)]
        ).map { row in
            Stored(
                connection: ConnectionID(try row.uuid("connection_id")),
                tenant: TenantID(try row.uuid("tenant_id")),
                credential: ProviderConnection.Credential(
                    version: try row.int("version"), keyID: try row.text("key_id"),
                    sealed: try row.bytes("sealed")))
        }
    }

    private static let reseal: Statement = """
        WITH resealed AS (
            UPDATE provider_credentials k
            SET key_id = n.new_key, sealed = n.sealed, resealed_at = clock_timestamp()
            FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::bytea[])
                AS n (connection_id, version, old_key, new_key, sealed)
            WHERE k.connection_id = n.connection_id AND k.version = n.version AND k.key_id = n.old_key
            RETURNING k.connection_id, k.tenant_id, k.version, n.old_key, n.new_key
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, details)
            SELECT $6, t.workspace_id, r.tenant_id,
                   jsonb_build_object('provider_connection_id', r.connection_id, 'version', r.version,
                                      'key_id_before', r.old_key, 'key_id', r.new_key)
            FROM resealed r JOIN tenants t ON t.id = r.tenant_id
        )
        SELECT connection_id FROM resealed
        """

    /// Puts each credential's new form in the place of the one that was read, unless it changed since. Returns how many.
    package func reseal(
        _ entries: [(stored: Stored, keyID: String, sealed: [UInt8])]
    ) async throws -> Int {
        try await pool.query(
            Self.reseal,
            [
                .uuids(entries.map(\.stored.connection.uuid)),
                .ints(entries.map(\.stored.credential.version)),
                .texts(entries.map(\.stored.credential.keyID)), .texts(entries.map(\.keyID)),
                .byteArrays(entries.map(\.sealed)), .text(AuditAction.credentialResealed.rawValue),
            ]
        ).count
    }
}
