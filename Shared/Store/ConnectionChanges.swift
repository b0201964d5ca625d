package import FoundationEssentials
package import Operations
package import Postgres

/// Makes provider connections and changes what people say about them; every change is audited with it.
///
/// What takes a scope away (another Entra tenant) takes the tenant's lock and waits for the calls that are on the wire,
/// as every taking of authority does (H4). Switching on and off is ``AuthorityChanges``'.
package struct ConnectionChanges: Sendable {
    /// The most connections of one tenant.
    package static let tenantLimit = 100

    /// A connection to be, enabled and without credential.
    package struct New: Sendable, Hashable {
        package var tenant: TenantID
        /// 1 to 200 characters, as all names here.
        package var displayName: String
        /// The stored name of the national cloud, or `sandbox`.
        package var cloud: String
        package var entraTenantID: String
        package var entraTenantName: String
        package var clientID: String
        /// Whether it takes the place of the tenant's default. A tenant's first connection is its default in any case.
        package var isDefault: Bool

        package init(
            tenant: TenantID, displayName: String, cloud: String, entraTenantID: String,
            entraTenantName: String, clientID: String, isDefault: Bool
        ) {
            self.tenant = tenant
            self.displayName = displayName
            self.cloud = cloud
            self.entraTenantID = entraTenantID
            self.entraTenantName = entraTenantName
            self.clientID = clientID
            self.isDefault = isDefault
        }
    }

    package enum CreateAnswer: Sendable, Hashable {
        case created(ConnectionID)
        /// The tenant has one of the same application and Entra tenant.
        case exists(ConnectionID)
        /// The tenant has ``ConnectionChanges/tenantLimit``.
        case tooMany
    }

    /// What is to be different; nil for what stays. Cloud and application stay for good: they belong to the credential.
    package struct Edit: Sendable, Hashable {
        package var displayName: String?
        package var entraTenantID: String?
        package var entraTenantName: String?

        package init(
            displayName: String? = nil, entraTenantID: String? = nil, entraTenantName: String? = nil
        ) {
            self.displayName = displayName
            self.entraTenantID = entraTenantID
            self.entraTenantName = entraTenantName
        }
    }

    package enum EditAnswer: Sendable, Hashable {
        /// With another Entra tenant, when the calls to the one before had ended; else nil.
        case edited(BarrierAnswer?)
        /// Somebody else changed it first.
        case stale
        /// The tenant has another connection of the same application and Entra tenant.
        case taken
    }

    let pool: PostgresPool
    private let makeID: @Sendable () -> UUID

    /// `makeID` makes ids in the order of time.
    package init(pool: PostgresPool, makeID: @escaping @Sendable () -> UUID) {
        self.pool = pool
        self.makeID = makeID
    }

    // MARK: creating, and the default

    /// Whoever makes or changes a default waits for each other. Not the tenant's row or its authority: nothing that
    /// executes waits for this.
    private static let lockDefault: Statement = """
        SELECT pg_advisory_xact_lock(hashtextextended('default connection ' || $1::uuid, 20790805))
        """

    /// In the order in which starts lock them, so that neither waits for the other in a circle.
    private static let lockConnections: Statement = """
        SELECT id FROM provider_connections WHERE tenant_id = $1::uuid ORDER BY id FOR NO KEY UPDATE
        """

    private static let insert: Statement = """
        WITH made AS (
            INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud, entra_tenant_id,
                                              entra_tenant_name, client_id)
            SELECT $1::uuid, $2::uuid, $3::uuid, $4, $5, $6, $7, $8
            ON CONFLICT (tenant_id, provider, entra_tenant_id, client_id) DO NOTHING
            RETURNING id, workspace_id, tenant_id
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $9, workspace_id, tenant_id, $10::uuid,
                   jsonb_build_object('provider_connection_id', id, 'display_name', $4, 'cloud', $5,
                                      'entra_tenant_id', $6, 'client_id', $8)
            FROM made
        )
        SELECT id FROM made
        """

    private static let count: Statement = """
        SELECT count(*) AS n, count(*) FILTER (WHERE is_default) AS defaults,
               (array_agg(id) FILTER (WHERE entra_tenant_id = $2 AND client_id = $3))[1] AS same
        FROM provider_connections WHERE tenant_id = $1::uuid
        """

    /// Makes a connection. Throws the database's error when the tenant is not of the workspace.
    package func create(
        _ new: New, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws -> CreateAnswer {
        let id = makeID()
        return try await pool.transaction { transaction in
            let tenant = Parameter.uuid(new.tenant.uuid)
            _ = try await transaction.query(Self.lockDefault, [tenant])
            let counted = try await transaction.query(
                Self.count, [tenant, .text(new.entraTenantID), .text(new.clientID)])[0]
            if let same = try counted.uuidOrNil("same") { return .exists(ConnectionID(same)) }
            guard try counted.int("n") < Self.tenantLimit else { return .tooMany }
            let made = try await transaction.query(
                Self.insert,
                [
                    .uuid(id), .uuid(workspace.uuid), tenant, .text(new.displayName), .text(new.cloud),
                    .text(new.entraTenantID), .text(new.entraTenantName), .text(new.clientID),
                    .text(AuditAction.connectionCreated.rawValue), actor.parameter,
                ])
            if made.isEmpty {
                // Made meanwhile by an edit, which does not wait for this lock. Read it in a statement of its own.
                let row = try await transaction.query(
                    Self.count, [tenant, .text(new.entraTenantID), .text(new.clientID)])[0]
                return .exists(ConnectionID(try row.uuid("same")))
            }
            if try new.isDefault || counted.int("defaults") == 0 {
                try await makeDefault(ConnectionID(id), of: new.tenant, in: workspace, by: actor, transaction)
            }
            return .created(ConnectionID(id))
        }
    }

    private static let clearDefault: Statement = """
        UPDATE provider_connections SET is_default = false, revision = revision + 1
        WHERE tenant_id = $1::uuid AND is_default AND id <> $2::uuid
        RETURNING id
        """

    private static let setDefault: Statement = """
        WITH chosen AS (
            UPDATE provider_connections SET is_default = true, revision = revision + 1
            WHERE id = $1::uuid AND tenant_id = $2::uuid AND NOT is_default
            RETURNING id, workspace_id, tenant_id
        )
        INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
        SELECT $3, workspace_id, tenant_id, $4::uuid,
               jsonb_build_object('provider_connection_id', id, 'before', $5::uuid)
        FROM chosen
        """

    /// Makes it the default of its tenant in place of the one before, in one step; nothing happens when it is.
    package func makeDefault(
        _ id: ConnectionID, of tenant: TenantID, in workspace: WorkspaceID, by actor: AuditRecord.Actor
    ) async throws {
        try await pool.transaction { transaction in
            _ = try await transaction.query(Self.lockDefault, [.uuid(tenant.uuid)])
            try await makeDefault(id, of: tenant, in: workspace, by: actor, transaction)
        }
    }

    /// Two statements: the unique index looks at each row as it is written, and the old default must have gone.
    private func makeDefault(
        _ id: ConnectionID, of tenant: TenantID, in workspace: WorkspaceID, by actor: AuditRecord.Actor,
        _ transaction: Transaction
    ) async throws {
        let locked = try await transaction.query(Self.lockConnections, [.uuid(tenant.uuid)])
        guard try locked.contains(where: { try $0.uuid("id") == id.uuid }) else {
            throw StoreError.notFound("provider connection")
        }
        let before = try await transaction.query(Self.clearDefault, [.uuid(tenant.uuid), .uuid(id.uuid)])
        _ = try await transaction.query(
            Self.setDefault,
            [
                .uuid(id.uuid), .uuid(tenant.uuid), .text(AuditAction.connectionDefaultSet.rawValue),
                actor.parameter, try before.first.map { .uuid(try $0.uuid("id")) } ?? .null,
            ])
    }

    // MARK: editing

    static let lockAuthority: Statement = "SELECT pg_advisory_xact_lock(authority_lock($1::uuid))"

    /// Another Entra tenant is another scope: what was found out about the one before holds no longer, the write gate's
    /// check included.
    private static let edit: Statement = """
        WITH before AS (
            SELECT id, display_name, entra_tenant_id, entra_tenant_name FROM provider_connections
            WHERE id = $1::uuid AND workspace_id = $2::uuid AND revision = $3::bigint FOR NO KEY UPDATE
        ), changed AS (
            UPDATE provider_connections c
            SET display_name = coalesce($4, b.display_name),
                entra_tenant_id = coalesce($5, b.entra_tenant_id),
                entra_tenant_name = coalesce($6, b.entra_tenant_name),
                health = CASE WHEN $5 <> b.entra_tenant_id THEN 'unknown' ELSE c.health END,
                health_reason = CASE WHEN $5 <> b.entra_tenant_id THEN NULL ELSE c.health_reason END,
                health_checked_at = CASE WHEN $5 <> b.entra_tenant_id THEN NULL ELSE c.health_checked_at END,
                revision = c.revision + 1
            FROM before b WHERE c.id = b.id
            RETURNING c.id, c.workspace_id, c.tenant_id, c.display_name, c.entra_tenant_id, c.entra_tenant_name,
                      b.display_name AS old_name, b.entra_tenant_id AS old_scope,
                      b.entra_tenant_name AS old_scope_name
        ), raised AS (
            UPDATE tenants t
            SET authority_epoch = authority_epoch + 1, write_gate_healthy = false, write_gate_checked_at = NULL
            FROM changed c WHERE t.id = c.tenant_id AND c.entra_tenant_id <> c.old_scope
        ), audited AS (
            INSERT INTO audit (action, workspace_id, tenant_id, actor_id, details)
            SELECT $7, workspace_id, tenant_id, $8::uuid,
                   jsonb_build_object(
                       'provider_connection_id', id,
                       'before', jsonb_build_object('display_name', old_name, 'entra_tenant_id', old_scope,
                                                    'entra_tenant_name', old_scope_name),
                       'after', jsonb_build_object('display_name', display_name,
                                                   'entra_tenant_id', entra_tenant_id,
                                                   'entra_tenant_name', entra_tenant_name))
            FROM changed
        )
        SELECT entra_tenant_id <> old_scope AS rescoped FROM changed
        """

    /// Changes what people say about a connection, if it is still at `revision`. With another Entra tenant it waits
    /// until no call to the one before is on the wire, or the last deadline has passed.
    ///
    /// Throws ``StoreError/notFound(_:)`` when the workspace has no such connection.
    package func edit(
        _ id: ConnectionID, of tenant: TenantID, _ edit: Edit, at revision: Int, in workspace: WorkspaceID,
        by actor: AuditRecord.Actor
    ) async throws -> EditAnswer {
        let rescoped: Bool?
        do {
            rescoped = try await pool.transaction { transaction in
                if edit.entraTenantID != nil {
                    _ = try await transaction.query(Self.lockAuthority, [.uuid(tenant.uuid)])
                }
                return try await transaction.query(
                    Self.edit,
                    [
                        .uuid(id.uuid), .uuid(workspace.uuid), .int(revision), edit.displayName.parameter,
                        edit.entraTenantID.parameter, edit.entraTenantName.parameter,
                        .text(AuditAction.connectionChanged.rawValue), actor.parameter,
                    ]
                ).first?.bool("rescoped")
            }
        } catch let error as PostgresError where error.sqlState == "23505" {
            return .taken
        }
        guard let rescoped else { return try await stale(id, in: workspace) }
        return .edited(rescoped ? try await Barrier(pool: pool).settle(.ofConnection, id.uuid) : nil)
    }

    private static let exists: Statement = """
        SELECT FROM provider_connections WHERE id = $1::uuid AND workspace_id = $2::uuid
        """

    private func stale(_ id: ConnectionID, in workspace: WorkspaceID) async throws -> EditAnswer {
        let rows = try await pool.query(Self.exists, [.uuid(id.uuid), .uuid(workspace.uuid)])
        if rows.isEmpty { throw StoreError.notFound("provider connection") }
        return .stale
    }
}

extension Optional<String> {
    fileprivate var parameter: Parameter { map { .text($0) } ?? .null }
}
