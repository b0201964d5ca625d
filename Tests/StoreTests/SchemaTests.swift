import Fixtures
import Operations
import Postgres
import Store
import Testing

/// What the schema itself refuses, whoever asks. `place` holds the ids of two workspaces: `w`, `t`, `c`, `u` are
/// a workspace, its tenant, connection and person; `t2`, `c2` another tenant's; `ow`, `ot`, `oc`, `ou` another
/// workspace's.
@Suite("Schema", .serialized)
struct SchemaTests {
    struct Case: Sendable {
        let what: String
        let state: String
        var constraint: String?
        let statement: Postgres.Statement

        init(_ what: String, _ state: String, _ constraint: String? = nil, _ statement: Postgres.Statement) {
            self.what = what
            self.state = state
            self.constraint = constraint
            self.statement = statement
        }
    }

    static let foreignKey = "23503"
    static let unique = "23505"
    static let check = "23514"
    static let denied = "42501"

    @Test("the test's own statement to add a run is sound")
    func control() async throws {
        try await Self.prepared { stand in
            _ = try await stand.pool.query("SELECT put_run(w, t, c, u), put_run(w, t2, c2, NULL) FROM place")
            #expect(try await stand.count("SELECT count(*) FROM runs") == 2)
        }
    }

    static let scope: [Case] = [
        Case(
            "a run of another workspace's tenant", foreignKey, "runs_workspace_id_tenant_id_fkey",
            "SELECT put_run(w, ot, oc, NULL) FROM place"),
        Case(
            "a run on another tenant's connection", foreignKey, "runs_tenant_id_connection_id_fkey",
            "SELECT put_run(w, t, c2, u) FROM place"),
        Case(
            "a run by another workspace's person", foreignKey, "runs_workspace_id_initiator_id_fkey",
            "SELECT put_run(w, t, c, ou) FROM place"),
        Case(
            "a membership on another workspace's tenant", foreignKey,
            "memberships_workspace_id_tenant_id_fkey",
            """
            INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
            SELECT gen_random_uuid(), w, ot, u, 'owner' FROM place
            """),
        Case(
            "a membership of another workspace's person", foreignKey,
            "memberships_workspace_id_user_id_fkey",
            """
            INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
            SELECT gen_random_uuid(), w, t, ou, 'owner' FROM place
            """),
        Case(
            "a connection of another workspace's tenant", foreignKey,
            "provider_connections_workspace_id_tenant_id_fkey",
            """
            INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, entra_tenant_id,
                                              entra_tenant_name, client_id)
            SELECT gen_random_uuid(), w, ot, 'x', 'another', 'x', 'x' FROM place
            """),
        Case(
            "a credential under another tenant", foreignKey,
            "provider_credentials_tenant_id_connection_id_fkey",
            "UPDATE provider_credentials SET tenant_id = t2 FROM place WHERE connection_id = c"),
        Case(
            "a token of another workspace's person", foreignKey, "api_tokens_workspace_id_user_id_fkey",
            """
            INSERT INTO api_tokens (id, workspace_id, user_id, label, token_hash, expires_at)
            SELECT gen_random_uuid(), w, ou, 'x', sha256('x'), now() FROM place
            """),
        Case(
            "a call permit of another tenant's run", foreignKey, "call_permits_tenant_id_run_id_fkey",
            """
            INSERT INTO call_permits (id, run_id, attempt, worker_id, workspace_id, tenant_id, connection_id, call,
                                      opened_at, deadline)
            SELECT gen_random_uuid(), put_run(w, t, c, u), 1, gen_random_uuid(), w, t2, c2, 'GET /x', now(), now()
            FROM place
            """),
        Case(
            "a notification of another tenant's run", foreignKey, "notifications_tenant_id_run_id_fkey",
            """
            INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
            SELECT put_run(w, t, c, u), 'inbox', w, t2, u, 'x', '', '{}' FROM place
            """),
        Case(
            "a webhook of another workspace's person", foreignKey, "webhooks_workspace_id_user_id_fkey",
            """
            INSERT INTO webhooks (id, user_id, workspace_id, label, origin, url_key_id, sealed_url, signing)
            SELECT gen_random_uuid(), ou, w, 'x', 'https://x', 'k', 'x', 'ed25519' FROM place
            """),
        Case(
            "a notification to another workspace's webhook", foreignKey,
            "notifications_workspace_id_webhook_id_fkey",
            """
            WITH hook AS (
                INSERT INTO webhooks (id, user_id, workspace_id, label, origin, url_key_id, sealed_url, signing)
                SELECT gen_random_uuid(), ou, ow, 'x', 'https://x', 'k', 'x', 'ed25519' FROM place RETURNING id
            ), run AS (SELECT put_run(w, t, c, u) AS id FROM place)
            INSERT INTO notifications (run_id, channel, webhook_id, workspace_id, tenant_id, user_id, title, body, event)
            SELECT run.id, 'webhook', hook.id, w, t, u, 'x', '', '{}' FROM run, place, hook
            """),
        Case(
            "an e-mail address of another workspace's person", foreignKey,
            "email_settings_workspace_id_user_id_fkey",
            """
            INSERT INTO email_settings (user_id, workspace_id, address, enabled)
            SELECT ou, w, 'a@b', true FROM place
            """),
        Case(
            "a named filter of another workspace's person", foreignKey,
            "saved_views_workspace_id_user_id_fkey",
            """
            INSERT INTO saved_views (id, workspace_id, user_id, name, query)
            SELECT gen_random_uuid(), w, ou, 'x', 'x' FROM place
            """),
        Case(
            "a dead letter of another tenant's run", foreignKey, "dead_letters_tenant_id_run_id_fkey",
            """
            INSERT INTO dead_letters (queue, digest, count, run_id, workspace_id, tenant_id, size)
            SELECT 'x', repeat('0', 64), 1, put_run(w, t, c, u), w, t2, 1 FROM place
            """),
        Case(
            "a wish of another workspace's person", foreignKey, "dead_letters_workspace_id_wished_by_fkey",
            """
            INSERT INTO dead_letters (queue, digest, count, run_id, workspace_id, tenant_id, size, wish, wished_by, wished_at)
            SELECT 'x', repeat('0', 64), 1, put_run(w, t, c, u), w, t, 1, 'redrive', ou, now() FROM place
            """),
        Case(
            "a wish about what names no run", check, nil,
            """
            INSERT INTO dead_letters (queue, digest, count, size, wish, wished_at)
            VALUES ('x', repeat('0', 64), 1, 1, 'redrive', now())
            """),
    ]

    static let once: [Case] = [
        Case(
            "two active runs on a connection", unique, "runs_one_active",
            "SELECT put_run(w, t, c, u), put_run(w, t, c, u, 'running', worker => gen_random_uuid()) FROM place"
        ),
        Case(
            "two default connections of a tenant", unique, "provider_connections_one_default",
            """
            INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, entra_tenant_id,
                                              entra_tenant_name, client_id, is_default)
            SELECT gen_random_uuid(), w, t, 'x', 'another', 'x', 'x', true FROM place
            """),
        Case(
            "a certificate without thumbprint", check, "provider_credentials_thumbprint",
            "UPDATE provider_credentials SET kind = 'certificate' FROM place WHERE connection_id = c"),
        Case(
            "a client secret with thumbprint", check, "provider_credentials_thumbprint",
            "UPDATE provider_credentials SET thumbprint = sha256('x') FROM place WHERE connection_id = c"),
        Case(
            "the same application twice in a tenant", unique,
            "provider_connections_tenant_id_provider_entra_tenant_id_cli_key",
            """
            INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, entra_tenant_id,
                                              entra_tenant_name, client_id)
            SELECT gen_random_uuid(), workspace_id, tenant_id, 'x', entra_tenant_id, 'x', client_id
            FROM provider_connections, place WHERE id = c
            """),
        Case(
            "two grants on the whole workspace", unique, "memberships_one_active",
            """
            INSERT INTO memberships (id, workspace_id, user_id, role)
            SELECT gen_random_uuid(), w, u, 'readonly' FROM place
            """),
        Case(
            "two grants on a tenant", unique, "memberships_one_active",
            """
            INSERT INTO memberships (id, workspace_id, tenant_id, user_id, role)
            SELECT gen_random_uuid(), w, t, u, role FROM place, (VALUES ('owner'), ('manager')) AS r (role)
            """),
        Case(
            "the same key of a caller twice", unique, "start_keys_pkey",
            """
            INSERT INTO start_keys (caller_id, key, run_id, operation, connection_id)
            SELECT u, 'k', gen_random_uuid(), 'x', c FROM place, generate_series(1, 2)
            """),
        Case(
            "two notifications of a run in a channel", unique, "notifications_once",
            """
            WITH run AS (SELECT put_run(w, t, c, u) AS id FROM place)
            INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
            SELECT run.id, 'inbox', w, t, u, 'x', '', '{}' FROM run, place, generate_series(1, 2)
            """),
        Case(
            "two latest keys of a webhook", unique, "webhook_keys_one_latest",
            """
            WITH hook AS (
                INSERT INTO webhooks (id, user_id, workspace_id, label, origin, url_key_id, sealed_url, signing)
                SELECT gen_random_uuid(), u, w, 'x', 'https://x', 'k', 'x', 'ed25519' FROM place RETURNING id
            )
            INSERT INTO webhook_keys (webhook_id, number, key_id, sealed)
            SELECT id, n, 'k', 'x' FROM hook, generate_series(1, 2) n
            """),
        Case("a second platform row", unique, "platform_pkey", "INSERT INTO platform DEFAULT VALUES"),
    ]

    static let words: [Case] = [
        Case("a state that is none", check, nil, "SELECT put_run(w, t, c, u, 'waiting') FROM place"),
        Case(
            "an outcome that is none", check, nil,
            "SELECT put_run(w, t, c, u, 'completed', 'fine', done => now()) FROM place"),
        Case(
            "completed without outcome", check, nil,
            "SELECT put_run(w, t, c, u, 'completed', done => now()) FROM place"),
        Case(
            "an outcome while queued", check, nil, "SELECT put_run(w, t, c, u, 'queued', 'failed') FROM place"
        ),
        Case(
            "completed without a moment", check, nil,
            "SELECT put_run(w, t, c, u, 'completed', 'failed') FROM place"),
        Case(
            "a moment of completion while queued", check, nil,
            "SELECT put_run(w, t, c, u, 'queued', done => now()) FROM place"),
        Case("running without a worker", check, nil, "SELECT put_run(w, t, c, u, 'running') FROM place"),
        Case(
            "queued with a worker", check, nil,
            "SELECT put_run(w, t, c, u, 'queued', worker => gen_random_uuid()) FROM place"),
        Case(
            "completed with a worker", check, nil,
            """
            SELECT put_run(w, t, c, u, 'completed', 'failed', done => now(), worker => gen_random_uuid())
            FROM place
            """),
        Case(
            "running without a start", check, nil,
            """
            INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, attempt, context,
                              queued_at, expires_at, worker_id)
            SELECT gen_random_uuid(), w, t, c, 'x', 'running', 1, '{}', now(), now(), gen_random_uuid() FROM place
            """),
        Case("attempt zero", check, nil, "SELECT put_run(w, t, c, u, attempts => 0) FROM place"),
        Case("a role that is none", check, nil, "UPDATE memberships SET role = 'admin'"),
        Case("a tenant that is in no known condition", check, nil, "UPDATE tenants SET operability = 'gone'"),
        Case("a cloud that somebody typed in", check, nil, "UPDATE provider_connections SET cloud = 'evil'"),
        Case(
            "a token that is no SHA-256", check, nil,
            """
            INSERT INTO api_tokens (id, workspace_id, user_id, label, token_hash, expires_at)
            SELECT gen_random_uuid(), w, u, 'x', 'secret', now() FROM place
            """),
        Case(
            "an item in no known state", check, nil,
            "INSERT INTO run_items (run_id, item_key, state) VALUES (gen_random_uuid(), 'x', 'done')"),
        Case(
            "a notification by webhook that names none", check, nil,
            """
            INSERT INTO notifications (run_id, channel, workspace_id, tenant_id, user_id, title, body, event)
            SELECT put_run(w, t, c, u), 'webhook', w, t, u, 'x', '', '{}' FROM place
            """),
        Case(
            "a removed webhook that keeps its address", check, nil,
            """
            INSERT INTO webhooks (id, user_id, workspace_id, label, origin, url_key_id, sealed_url, signing, removed_at)
            SELECT gen_random_uuid(), u, w, 'x', 'https://x', 'k', 'x', 'ed25519', now() FROM place
            """),
        Case(
            "an item without a key", check, nil,
            "INSERT INTO run_items (run_id, item_key, state) VALUES (gen_random_uuid(), '', 'applied')"),
        Case(
            "a revoked membership is brought back", "23001", nil,
            """
            WITH gone AS (SELECT id FROM memberships WHERE revoked_at IS NOT NULL)
            UPDATE memberships m SET revoked_at = NULL FROM gone WHERE m.id = gone.id
            """),
        Case(
            "a revoked membership gets another role", "23001", nil,
            "UPDATE memberships SET role = 'owner' WHERE revoked_at IS NOT NULL"),
    ]

    enum Table: String, CaseIterable {
        case scope, once, words

        var cases: [Case] {
            switch self {
            case .scope: SchemaTests.scope
            case .once: SchemaTests.once
            case .words: SchemaTests.words
            }
        }
    }

    @Test("the schema refuses what would break an invariant", arguments: Table.allCases)
    func refuses(_ table: Table) async throws {
        try await Self.prepared { stand in
            for refused in table.cases {
                try await Self.expect(refused) { _ = try await stand.pool.query($0) }
            }
        }
    }

    @Test("ended runs don't stand in the way of the next one")
    func ended() async throws {
        try await Self.prepared { stand in
            _ = try await stand.pool.query(
                """
                SELECT put_run(w, t, c, u, 'completed', 'failed', done => now()), put_run(w, t, c, u, 'completed',
                               'succeeded', done => now()), put_run(w, t, c, u) FROM place
                """)
            #expect(try await stand.count("SELECT count(*) FROM runs") == 3)
        }
    }

    @Test("a revoked grant leaves room for another one")
    func another() async throws {
        try await Self.prepared { stand in
            _ = try await stand.pool.query(
                "UPDATE memberships SET revoked_at = now() WHERE revoked_at IS NULL")
            _ = try await stand.pool.query(
                """
                INSERT INTO memberships (id, workspace_id, user_id, role)
                SELECT gen_random_uuid(), w, u, 'readonly' FROM place
                """)
        }
    }

    // MARK: rights

    static let forbidden: [Case] = [
        Case("audit is changed", denied, nil, "UPDATE audit SET action = 'x'"),
        Case("audit is deleted", denied, nil, "DELETE FROM audit"),
        Case("audit is truncated", denied, nil, "TRUNCATE audit"),
        Case("audit's rest is deleted", denied, nil, "DELETE FROM audit_rest"),
        Case(
            "audit's rest is written past the table", denied, nil,
            "INSERT INTO audit_rest SELECT * FROM audit"),
        Case("runs are deleted", denied, nil, "DELETE FROM runs"),
        Case("tries of deliveries are deleted", denied, nil, "DELETE FROM delivery_tries"),
        Case("tries of deliveries are changed", denied, nil, "UPDATE delivery_tries SET result = 'x'"),
        Case("webhooks are deleted", denied, nil, "DELETE FROM webhooks"),
        Case("runs are truncated", denied, nil, "TRUNCATE runs"),
        Case("the outbox is truncated", denied, nil, "TRUNCATE outbox"),
        Case("memberships are deleted", denied, nil, "DELETE FROM memberships"),
        Case("permits are deleted", denied, nil, "DELETE FROM call_permits"),
        Case("a table is made", denied, nil, "CREATE TABLE mine (x int)"),
        Case("a table is altered", denied, nil, "ALTER TABLE runs DROP COLUMN counts"),
        Case("a table is dropped", denied, nil, "DROP TABLE run_items"),
        Case("a trigger is switched off", denied, nil, "ALTER TABLE memberships DISABLE TRIGGER ALL"),
        Case("a schema is made", denied, nil, "CREATE SCHEMA mine"),
        Case("a role is made", denied, nil, "CREATE ROLE mine"),
        Case("the list of migrations is written", denied, nil, "DELETE FROM schema_migrations"),
        Case("a sealed credential is read", denied, nil, "SELECT sealed FROM provider_credentials"),
        Case("credentials are read whole", denied, nil, "SELECT * FROM provider_credentials"),
        Case(
            "a sealed credential is returned by a change", denied, nil,
            "UPDATE provider_credentials SET version = version + 1 RETURNING sealed"),
        Case(
            "a sealed credential is copied", denied, nil,
            "UPDATE webhooks SET sealed_url = k.sealed FROM provider_credentials k"),
    ]

    @Test("the services' role has no right to remove, to truncate, or to change the schema")
    func mayNot() async throws {
        try await Self.prepared { stand in
            for refused in Self.forbidden {
                try await Self.expect(refused) { try await Self.asServices($0, stand) }
            }
        }
    }

    static let allowed: [Postgres.Statement] = [
        "INSERT INTO audit (action, workspace_id, details) SELECT 'x', w, '{}' FROM place",
        "SELECT * FROM audit", "UPDATE runs SET cancel_requested = true", "DELETE FROM outbox",
        "SELECT * FROM tenant_authority", "SELECT make_audit_partitions()",
        "SELECT version, kind, key_id, thumbprint, expires_at, set_by, updated_at FROM provider_credentials",
        "UPDATE provider_credentials SET sealed = 'y'",
    ]

    @Test("only the gateway's role reads sealed credentials, and nothing more")
    func gateway() async throws {
        try await Self.prepared { stand in
            try await stand.pool.transaction { transaction in
                _ = try await transaction.query("SET LOCAL ROLE tenantatlas_gateway")
                _ = try await transaction.query("SELECT sealed FROM provider_credentials")
            }
            for statement in [
                "SELECT version FROM provider_credentials", "SELECT * FROM runs",
                "UPDATE provider_credentials SET sealed = 'y'",
            ] as [Postgres.Statement] {
                await #expect {
                    try await stand.pool.transaction { transaction in
                        _ = try await transaction.query("SET LOCAL ROLE tenantatlas_gateway")
                        _ = try await transaction.query(statement)
                    }
                } throws: {
                    ($0 as? PostgresError)?.sqlState == Self.denied
                }
            }
        }
    }

    @Test("the services' role may do its work")
    func may() async throws {
        try await Self.prepared { stand in
            for statement in Self.allowed { try await Self.asServices(statement, stand) }
        }
    }

    static let appendOnly: [Case] = [
        Case("change a row", denied, nil, "UPDATE audit SET details = '{}'"),
        Case("delete a row", denied, nil, "DELETE FROM audit"),
        Case("delete a row of the rest", denied, nil, "DELETE FROM audit_rest"),
        Case("change a row of the rest", denied, nil, "UPDATE audit_rest SET action = 'x'"),
    ]

    @Test("the owner of the audit may not change or remove a row either")
    func owner() async throws {
        try await Self.prepared { stand in
            for refused in Self.appendOnly {
                try await Self.expect(refused) { _ = try await stand.pool.query($0) }
            }
            #expect(try await stand.count("SELECT count(*) FROM audit WHERE action = 'kept'") == 2)
        }
    }

    // MARK: helpers

    private static func asServices(_ statement: Postgres.Statement, _ stand: Stand) async throws {
        try await stand.pool.transaction { transaction in
            _ = try await transaction.query("SET LOCAL ROLE tenantatlas_services")
            _ = try await transaction.query(statement)
        }
    }

    /// A database with two workspaces, a revoked membership and two audit rows.
    private static func prepared(_ body: (Stand) async throws -> Void) async throws {
        try await Stand.with(tenants: 2) { stand in
            let world = stand.world
            let other = try await World.make(in: stand.pool)
            _ = try await stand.pool.query(
                """
                CREATE TABLE place AS
                SELECT $1::uuid AS w, $2::uuid AS t, $3::uuid AS c, $4::uuid AS u, $5::uuid AS t2, $6::uuid AS c2,
                       $7::uuid AS ow, $8::uuid AS ot, $9::uuid AS oc, $10::uuid AS ou
                """,
                [
                    .uuid(world.workspace.uuid), .uuid(world.tenant.uuid), .uuid(world.connection.uuid),
                    .uuid(world.operator.uuid), .uuid(world.tenants[1].uuid),
                    .uuid(world.connections[1].uuid), .uuid(other.workspace.uuid), .uuid(other.tenant.uuid),
                    .uuid(other.connection.uuid), .uuid(other.operator.uuid),
                ])
            _ = try await stand.pool.query("GRANT SELECT ON place TO tenantatlas_services")
            _ = try await stand.pool.query(
                """
                CREATE FUNCTION put_run(
                    w uuid, t uuid, c uuid, u uuid, st text DEFAULT 'queued', oc text DEFAULT NULL,
                    worker uuid DEFAULT NULL, done timestamptz DEFAULT NULL, attempts int DEFAULT 1
                ) RETURNS uuid LANGUAGE sql AS $$
                    INSERT INTO runs (id, workspace_id, tenant_id, connection_id, initiator_id, operation, state,
                                      outcome, worker_id, started_at, completed_at, attempt, context, queued_at,
                                      expires_at)
                    VALUES (gen_random_uuid(), w, t, c, u, 'x', st, oc, worker,
                            CASE WHEN st = 'running' THEN now() END, done, attempts, '{}', now(), now())
                    RETURNING id
                $$
                """)
            _ = try await stand.pool.query(
                """
                INSERT INTO memberships (id, workspace_id, user_id, role, revoked_at)
                SELECT gen_random_uuid(), w, u, 'manager', now() FROM place
                """)
            _ = try await stand.pool.query(
                """
                INSERT INTO audit (at, action, workspace_id, details)
                SELECT at, 'kept', w, '{}' FROM place, (VALUES (now()), (now() - interval '5 years')) AS m (at)
                """)
            try await body(stand)
        }
    }

    private static func expect(
        _ refused: Case, _ body: (Postgres.Statement) async throws -> Void
    ) async throws {
        do {
            try await body(refused.statement)
            Issue.record("not refused: \(refused.what)")
        } catch let error as PostgresError {
            #expect(error.sqlState == refused.state, "\(refused.what): \(error)")
            if let constraint = refused.constraint {
                #expect(error.constraint == constraint, "\(refused.what)")
            }
        }
    }
}
