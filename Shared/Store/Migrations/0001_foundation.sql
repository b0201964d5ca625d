-- The foundation: who may do what, where, and what was done.
--
-- Rules that hold for all tables
--   * Every row that belongs to a tenant carries the tenant's id, and its references are composite: a row can't
--     point into another tenant.
--   * All moments are the database's own clock; leases and deadlines are judged by it alone.
--   * The services work as members of tenantatlas_services, which owns nothing. Audit rows it may only add.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantatlas_services') THEN
        CREATE ROLE tenantatlas_services NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    -- Roles belong to the whole server: another database is being migrated at the same moment.
    NULL;
END $$;

-- ---------------------------------------------------------------------------------------------------------------
-- Scope and authority
-- ---------------------------------------------------------------------------------------------------------------

-- One row: the switch for everything.
CREATE TABLE platform (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    frozen boolean NOT NULL DEFAULT false,
    freeze_generation bigint NOT NULL DEFAULT 0
);
INSERT INTO platform DEFAULT VALUES;

CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    frozen boolean NOT NULL DEFAULT false,
    freeze_generation bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    operability text NOT NULL DEFAULT 'operable'
        CHECK (operability IN ('operable', 'onboarding', 'suspended', 'archived')),
    -- Raised by every change that takes authority away.
    authority_epoch bigint NOT NULL DEFAULT 1,
    frozen boolean NOT NULL DEFAULT false,
    freeze_generation bigint NOT NULL DEFAULT 0,
    write_gate_open boolean NOT NULL DEFAULT false,
    write_gate_checked_at timestamptz,
    write_gate_healthy boolean NOT NULL DEFAULT false,
    write_gate_limit_seconds integer NOT NULL DEFAULT 86400 CHECK (write_gate_limit_seconds > 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (workspace_id, id)
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    kind text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'system')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (workspace_id, id)
);

-- A membership is a grant: it is never revived. Removed and given again is another row, with another id.
CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    -- NULL: every tenant of the workspace.
    tenant_id uuid,
    user_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'manager', 'operator', 'readonly')),
    granted_by uuid,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_by uuid,
    revoked_at timestamptz,
    FOREIGN KEY (workspace_id, tenant_id) REFERENCES tenants (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);
CREATE UNIQUE INDEX memberships_one_active ON memberships (user_id, workspace_id, tenant_id)
    NULLS NOT DISTINCT WHERE revoked_at IS NULL;

CREATE FUNCTION memberships_stay_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a revoked membership is never changed: grant a new one' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER memberships_stay_revoked BEFORE UPDATE ON memberships
    FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION memberships_stay_revoked();

-- Bearer tokens of people and systems: random, stored as SHA-256, shown once.
CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);

CREATE TABLE provider_connections (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    provider text NOT NULL DEFAULT 'microsoft_graph' CHECK (provider = 'microsoft_graph'),
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    -- Which national cloud; a closed list, so that no token is sent to a host that somebody typed in.
    cloud text NOT NULL DEFAULT 'global'
        CHECK (cloud IN ('global', 'us_government', 'us_government_dod', 'china', 'sandbox')),
    entra_tenant_id text NOT NULL CHECK (length(entra_tenant_id) BETWEEN 1 AND 64),
    entra_tenant_name text NOT NULL CHECK (length(entra_tenant_name) BETWEEN 1 AND 200),
    client_id text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 64),
    is_default boolean NOT NULL DEFAULT false,
    enabled boolean NOT NULL DEFAULT true,
    frozen boolean NOT NULL DEFAULT false,
    freeze_generation bigint NOT NULL DEFAULT 0,
    health text NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'healthy', 'degraded', 'unhealthy')),
    health_reason text,
    health_checked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (workspace_id, tenant_id) REFERENCES tenants (workspace_id, id),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, provider, entra_tenant_id, client_id)
);
CREATE UNIQUE INDEX provider_connections_one_default ON provider_connections (tenant_id, provider)
    WHERE is_default;

-- One credential per connection, sealed to the gateway's public key.
CREATE TABLE provider_credentials (
    connection_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    kind text NOT NULL CHECK (kind IN ('client_secret')),
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id)
);

-- What the gate reads about a tenant. While anything above it is frozen, a tenant is suspended for what is new;
-- what was queued before is refused for good, because the generation has changed.
CREATE VIEW tenant_authority AS
SELECT
    t.id AS tenant_id,
    t.workspace_id,
    CASE WHEN t.operability <> 'archived' AND (t.frozen OR w.frozen OR p.frozen) THEN 'suspended'
         ELSE t.operability END AS operability,
    t.authority_epoch,
    t.freeze_generation + w.freeze_generation + p.freeze_generation AS freeze_generation,
    t.write_gate_open,
    t.write_gate_checked_at,
    t.write_gate_healthy,
    t.write_gate_limit_seconds
FROM tenants t
JOIN workspaces w ON w.id = t.workspace_id
CROSS JOIN platform p;

-- What a person holds on a tenant: the grant on the tenant itself before one on the whole workspace.
CREATE FUNCTION entitlement(of_user uuid, in_workspace uuid, on_tenant uuid)
RETURNS TABLE (grant_id uuid, role text) LANGUAGE sql STABLE AS $$
    SELECT m.id, m.role FROM memberships m
    WHERE m.user_id = of_user AND m.workspace_id = in_workspace
      AND (m.tenant_id = on_tenant OR m.tenant_id IS NULL) AND m.revoked_at IS NULL
    ORDER BY m.tenant_id NULLS LAST LIMIT 1
$$;

-- The lock of an authority scope (a workspace, a tenant, a worker). Whoever acts under an authority holds it
-- shared, whoever takes authority away holds it exclusively. Advisory locks queue in order, so that a stream
-- of calls can't starve a revoke, and write nothing.
CREATE FUNCTION authority_lock(scope uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(scope::text, 20790805)
$$;

-- ---------------------------------------------------------------------------------------------------------------
-- Runs
-- ---------------------------------------------------------------------------------------------------------------

-- A process that executes. It is alive while its lease lasts; once ended it never comes back under this id.
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    service text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease_until timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX workers_alive ON workers (lease_until) WHERE ended_at IS NULL;

CREATE TABLE runs (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    operation text NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'running', 'completed')),
    outcome text CHECK (outcome IN ('succeeded', 'partially_succeeded', 'failed', 'blocked', 'cancelled')),
    -- Why it ended so or, while it is queued, why it waits.
    reason_code text,
    attempt integer NOT NULL CHECK (attempt > 0),
    -- How many attempts ended in a failure or with their worker; refusals don't count here.
    failed_attempts integer NOT NULL DEFAULT 0,
    worker_id uuid,
    initiator_id uuid,
    cancel_requested boolean NOT NULL DEFAULT false,
    counts jsonb NOT NULL DEFAULT '{}',
    -- What the start wrote down (authority mode, capability, scope), and the last decision.
    context jsonb NOT NULL,
    traceparent text,
    queued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- When the next attempt of a waiting run is due.
    next_attempt_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    FOREIGN KEY (workspace_id, tenant_id) REFERENCES tenants (workspace_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id),
    FOREIGN KEY (workspace_id, initiator_id) REFERENCES users (workspace_id, id),
    CHECK ((state = 'completed') = (outcome IS NOT NULL)),
    CHECK ((state = 'completed') = (completed_at IS NOT NULL)),
    CHECK ((state = 'running') = (worker_id IS NOT NULL)),
    -- A run that the gate refused at its first attempt was never running.
    CHECK (state <> 'running' OR started_at IS NOT NULL)
) WITH (fillfactor = 70);
-- No index mentions `state` or `worker_id`, so that the step to running rewrites no index.
CREATE UNIQUE INDEX runs_one_active ON runs (connection_id) WHERE completed_at IS NULL;
-- Lists are read newest first; ids are in the order of time.
CREATE UNIQUE INDEX runs_by_tenant ON runs (tenant_id, id);
CREATE INDEX runs_by_workspace ON runs (workspace_id, id);

-- The caller's own keys: the same key of the same caller gives the same run.
CREATE TABLE start_keys (
    user_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    run_id uuid NOT NULL,
    operation text NOT NULL,
    connection_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, key)
);

-- Leave for one provider call, committed before the request is sent. Open until its holder closes it; past its
-- deadline without that it is in doubt.
CREATE TABLE call_permits (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL,
    attempt integer NOT NULL,
    worker_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    user_id uuid,
    grant_id uuid,
    call text NOT NULL,
    opened_at timestamptz NOT NULL,
    deadline timestamptz NOT NULL,
    closed_at timestamptz,
    -- The provider's HTTP status; NULL when none arrived.
    http_status integer,
    -- Set by the reaper when the holder never closed it: nobody knows how the call ended.
    in_doubt boolean NOT NULL DEFAULT false,
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
) WITH (fillfactor = 80);
CREATE INDEX call_permits_open ON call_permits (tenant_id) WHERE closed_at IS NULL;
CREATE INDEX call_permits_by_run ON call_permits (run_id);

-- What was done, item by item. The statement that adds rows joins the run, its attempt and its state, so a row
-- always belongs to a run, and a worker that was given up can't add any.
CREATE TABLE run_items (
    run_id uuid NOT NULL,
    item_key text NOT NULL CHECK (length(item_key) BETWEEN 1 AND 512),
    state text NOT NULL CHECK (state IN ('applied', 'failed', 'skipped', 'in_doubt')),
    -- What came of it, in a stable word: a compliance state, a reason code.
    result text,
    PRIMARY KEY (run_id, item_key)
);

-- How far a run is, and from where another attempt goes on.
CREATE TABLE run_progress (
    run_id uuid PRIMARY KEY,
    done bigint NOT NULL,
    total bigint,
    cursor text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ---------------------------------------------------------------------------------------------------------------
-- What is told: outbox, audit, notifications
-- ---------------------------------------------------------------------------------------------------------------

-- Committed with the change it tells of; deleted when the broker has confirmed it. Whoever wrote or claimed a
-- row has until `due_at` to publish it; then anybody may.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due_at timestamptz NOT NULL,
    route text NOT NULL,
    message_id text NOT NULL,
    run_id uuid NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at);
CREATE INDEX outbox_by_run ON outbox (run_id);

-- People's actions, decisions and outcomes, in one shape. Only ever added to.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL,
    workspace_id uuid NOT NULL,
    tenant_id uuid,
    actor_id uuid,
    run_id uuid,
    details jsonb NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX audit_by_run ON audit (run_id) WHERE run_id IS NOT NULL;

-- Takes what no month has a partition for: an audit row is never refused for want of one.
CREATE TABLE audit_rest PARTITION OF audit DEFAULT;

-- Makes the partitions of this month and the next ones. Run by every migration and daily by the starter.
CREATE FUNCTION make_audit_partitions(months integer DEFAULT 3) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first_day date;
BEGIN
    FOR step IN 0..months LOOP
        first_day := (date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => step))::date;
        BEGIN
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %I PARTITION OF audit FOR VALUES FROM (%L) TO (%L)',
                'audit_' || to_char(first_day, 'YYYY_MM'),
                first_day::timestamp AT TIME ZONE 'UTC',
                (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        EXCEPTION WHEN check_violation THEN
            -- Rows of that month are in the rest already: they stay there, and the other months get theirs.
            NULL;
        END;
    END LOOP;
END $$;
SELECT make_audit_partitions();

-- One per run and channel, whatever is delivered how often.
CREATE TABLE notifications (
    run_id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('inbox', 'webhook', 'email')),
    workspace_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    -- The event as it was received, for what is delivered elsewhere.
    event jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_at timestamptz,
    -- For channels that deliver: the next try, or NULL when there is none.
    next_delivery_at timestamptz,
    delivered_at timestamptz,
    given_up_at timestamptz,
    PRIMARY KEY (run_id, channel),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);
CREATE INDEX notifications_by_user ON notifications (user_id, run_id) WHERE channel = 'inbox';
CREATE INDEX notifications_to_deliver ON notifications (next_delivery_at) WHERE next_delivery_at IS NOT NULL;

CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    channel text NOT NULL,
    attempt integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The receiver's HTTP status; NULL when none arrived.
    status integer,
    -- A stable word for how it went: delivered, refused, unreachable, timeout.
    result text NOT NULL,
    FOREIGN KEY (run_id, channel) REFERENCES notifications (run_id, channel)
);
CREATE INDEX deliveries_by_notification ON deliveries (run_id, channel);

-- Where a person or system wants to be told by HTTP. The signing secret is sealed to the notifier's key.
CREATE TABLE webhooks (
    user_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    url text NOT NULL CHECK (length(url) <= 2000),
    key_id text NOT NULL,
    sealed_secret bytea NOT NULL,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);

-- ---------------------------------------------------------------------------------------------------------------
-- Rights of the services
-- ---------------------------------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA public TO tenantatlas_services;
GRANT SELECT, INSERT, UPDATE ON
    platform, workspaces, tenants, users, memberships, api_tokens, provider_connections, provider_credentials,
    workers, runs, start_keys, call_permits, run_items, run_progress, outbox, notifications, deliveries, webhooks
    TO tenantatlas_services;
GRANT DELETE ON outbox, run_items, run_progress TO tenantatlas_services;
GRANT SELECT ON tenant_authority, schema_migrations TO tenantatlas_services;
GRANT SELECT, INSERT ON audit TO tenantatlas_services;
GRANT EXECUTE ON FUNCTION make_audit_partitions(integer) TO tenantatlas_services;

-- A second lock on the audit's door, for whoever owns the tables as well.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are never changed or removed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
