-- The audit's chain: what was recorded can't be altered, removed or slipped in later without showing.
--
-- Records are written as before. Once a second the starter seals what is final: the records of all transactions before
-- a horizon, a block for each workspace, each block over the one before it.

-- The transaction that wrote the record: every record of transactions before the oldest that is under way is final.
ALTER TABLE audit ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX audit_by_xact ON audit (xact);

-- What people look for: the newest of a tenant, of a person. Those of a workspace are found by their ids.
CREATE INDEX audit_by_tenant ON audit (tenant_id, id) WHERE tenant_id IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor_id, id) WHERE actor_id IS NOT NULL;

-- A record's content in one unambiguous text, hashed. `AuditRecord.digest` says the same in Swift.
CREATE FUNCTION audit_digest(a audit) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(
        a.id || ' ' || (extract(epoch FROM a.at) * 1000000)::bigint || ' ' || a.workspace_id
        || ' ' || coalesce(a.tenant_id::text, '-') || ' ' || coalesce(a.actor_id::text, '-')
        || ' ' || coalesce(a.run_id::text, '-') || ' ' || octet_length(a.action) || ' ' || a.action || ' ' || a.details,
        'UTF8'))
$$;

CREATE TABLE audit_blocks (
    workspace_id uuid NOT NULL REFERENCES workspaces (id),
    -- 1, 2, 3, …
    number bigint NOT NULL CHECK (number > 0),
    -- No transaction whose records are in here had begun by then: none of them can be older.
    begun_after timestamptz NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The records in the order of their ids, and 32 bytes of digest for each.
    ids bigint[] NOT NULL,
    digests bytea NOT NULL CHECK (length(digests) = 32 * cardinality(ids)),
    -- Over the hash of the block before (32 zero bytes for the first), and all of this one but `sealed_at`.
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (workspace_id, number)
);
-- Digests are as good as random.
ALTER TABLE audit_blocks ALTER COLUMN digests SET STORAGE EXTERNAL;

-- One row: how far the audit is sealed.
CREATE TABLE audit_horizon (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    -- The records of all transactions before this one are sealed.
    sealed_before xid8 NOT NULL,
    -- No transaction from `sealed_before` on had begun by then.
    begun_after timestamptz NOT NULL,
    -- The next such pair: it holds as soon as `sealed_before` has come that far.
    mark_xact xid8 NOT NULL,
    mark_at timestamptz NOT NULL
);
INSERT INTO audit_horizon (sealed_before, begun_after, mark_xact, mark_at)
VALUES ('0', '2000-01-01 00:00Z', '0', '2000-01-01 00:00Z');

CREATE TRIGGER audit_blocks_are_append_only BEFORE UPDATE OR DELETE ON audit_blocks
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();

GRANT SELECT, INSERT ON audit_blocks TO tenantatlas_services;
GRANT SELECT, UPDATE ON audit_horizon TO tenantatlas_services;
