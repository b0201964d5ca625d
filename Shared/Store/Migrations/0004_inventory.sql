-- Parameters of runs, and what the inventory family reads: devices, policies with their versions, and backups.
--
-- Rules that hold for all tables here
--   * The key begins with the tenant and, where a thing is known by a provider's id, its connection: two connections of
--     one tenant may lead to two directories.
--   * A row names the run that wrote it last. What a run saw, changed and missed is counted from the rows themselves, so
--     a page that is recorded twice is counted once. Runs are pruned one day; these columns refer to nothing.
--   * Statements that write join the run, its attempt and its state: a worker that was given up writes nothing.

-- What a start asked for beyond the operation's name. Written with the run, and never changed.
ALTER TABLE runs ADD COLUMN parameters jsonb;

-- The devices of a tenant as inventory.sync saw them last.
CREATE TABLE inventory_devices (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    device_id text NOT NULL CHECK (length(device_id) BETWEEN 1 AND 512),
    name text,
    user_principal_name text,
    operating_system text,
    os_version text,
    manufacturer text,
    model text,
    serial_number text,
    entra_device_id text,
    owner_type text,
    compliance_state text,
    -- Moves by itself: no change of the device.
    last_sync_at timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_run uuid NOT NULL,
    -- When it was new, or different from before.
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_run uuid NOT NULL,
    -- Set while it is gone: a listing that reached its end did not have it.
    gone_at timestamptz,
    gone_run uuid,
    PRIMARY KEY (tenant_id, connection_id, device_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id),
    CHECK ((gone_at IS NULL) = (gone_run IS NULL))
) WITH (fillfactor = 70);

-- Documents of policies in their canonical form, each content once per tenant. Secrets inside are masked before they
-- get here.
CREATE TABLE policy_contents (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    hash bytea NOT NULL CHECK (hash = sha256(content)),
    -- Canonical JSON in UTF-8.
    content bytea NOT NULL,
    -- How many secrets are masked in it; they can't be restored from here.
    secrets integer NOT NULL CHECK (secrets >= 0),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, hash)
);

-- The policies of a tenant as inventory.sync and policy.sync saw them last.
CREATE TABLE inventory_policies (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind text NOT NULL,
    policy_id text NOT NULL CHECK (length(policy_id) BETWEEN 1 AND 512),
    name text,
    -- The provider's type, where a kind has several.
    type text,
    modified_at timestamptz,
    -- What the list shows of it; NULL until a sync has said so.
    listed_hash bytea,
    -- The content of its latest version; NULL until policy.sync has read one.
    content_hash bytea,
    version integer NOT NULL DEFAULT 0 CHECK (version >= 0),
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_run uuid NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_run uuid NOT NULL,
    -- The run that read its latest version, and the one that read its content last.
    version_run uuid,
    read_run uuid,
    gone_at timestamptz,
    gone_run uuid,
    PRIMARY KEY (tenant_id, connection_id, kind, policy_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id),
    FOREIGN KEY (tenant_id, content_hash) REFERENCES policy_contents (tenant_id, hash),
    CHECK ((gone_at IS NULL) = (gone_run IS NULL)),
    CHECK ((version = 0) = (content_hash IS NULL))
) WITH (fillfactor = 70);

-- Every content that a policy had, in order. Only ever added to.
CREATE TABLE policy_versions (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kind text NOT NULL,
    policy_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    name text,
    hash bytea NOT NULL,
    run_id uuid NOT NULL,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, connection_id, kind, policy_id, version),
    FOREIGN KEY (tenant_id, connection_id, kind, policy_id)
        REFERENCES inventory_policies (tenant_id, connection_id, kind, policy_id),
    FOREIGN KEY (tenant_id, hash) REFERENCES policy_contents (tenant_id, hash)
);

-- What one backup.run read. It has the id of its run.
CREATE TABLE backup_sets (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    kinds text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Set when everything of these kinds was read; until then it is a part.
    completed_at timestamptz,
    -- Of a complete set: two backups of an unchanged tenant have the same.
    content_hash bytea,
    PRIMARY KEY (tenant_id, id),
    -- People name a set by its id alone.
    UNIQUE (id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id),
    CHECK ((completed_at IS NULL) = (content_hash IS NULL))
);

CREATE TABLE backup_items (
    tenant_id uuid NOT NULL,
    backup_id uuid NOT NULL,
    -- Made from kind and policy: the same policy has the same id in every set of the connection.
    item_id uuid NOT NULL,
    kind text NOT NULL,
    policy_id text NOT NULL CHECK (length(policy_id) BETWEEN 1 AND 512),
    name text,
    type text,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, backup_id, kind, policy_id),
    UNIQUE (tenant_id, backup_id, item_id),
    FOREIGN KEY (tenant_id, backup_id) REFERENCES backup_sets (tenant_id, id),
    FOREIGN KEY (tenant_id, hash) REFERENCES policy_contents (tenant_id, hash)
);

-- Backup sets as people see them.
CREATE VIEW backup_summaries AS
SELECT b.id, b.tenant_id, t.name AS tenant_name, b.connection_id, c.display_name, b.kinds, b.started_at, b.completed_at,
       b.content_hash,
       (SELECT count(*) FROM backup_items i WHERE i.tenant_id = b.tenant_id AND i.backup_id = b.id) AS items
FROM backup_sets b
JOIN tenants t ON t.id = b.tenant_id
JOIN provider_connections c ON c.id = b.connection_id;

GRANT SELECT ON backup_summaries TO tenantatlas_services;
GRANT SELECT, INSERT, UPDATE ON inventory_devices, inventory_policies, backup_sets, backup_items
    TO tenantatlas_services;
GRANT SELECT, INSERT ON policy_contents, policy_versions TO tenantatlas_services;
