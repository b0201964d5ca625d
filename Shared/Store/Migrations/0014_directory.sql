-- The groups of tenants' directories, from which people choose by name what policies are assigned to.
--
-- The rules of the inventory's tables hold here, too (migration 4): the connection is part of the key, because two
-- connections of one tenant may lead to two directories; rows name the runs that saw, changed and missed them.

-- The groups of a directory as inventory.sync saw them last.
CREATE TABLE directory_groups (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    group_id text COLLATE "C" NOT NULL CHECK (length(group_id) BETWEEN 1 AND 512),
    display_name text,
    -- The name in small letters, by which it is found; the server's locale might know the letters of one language only.
    folded_name text COLLATE "C" NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_run uuid NOT NULL,
    -- When it was new, or renamed.
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_run uuid NOT NULL,
    -- Set while it is gone: a listing that reached its end did not have it.
    gone_at timestamptz,
    gone_run uuid,
    PRIMARY KEY (tenant_id, connection_id, group_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id),
    CHECK ((gone_at IS NULL) = (gone_run IS NULL))
) WITH (fillfactor = 70);

-- The name is cut: an index holds no longer text.
CREATE INDEX directory_groups_by_name
    ON directory_groups (tenant_id, left(folded_name, 128), group_id, connection_id)
    WHERE gone_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON directory_groups TO tenantatlas_services;
