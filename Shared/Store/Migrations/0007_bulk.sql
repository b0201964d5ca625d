-- Bulk runs: divided into chunks, which several workers execute at once, and the pace of writes.
--
-- Rules that hold for all tables here
--   * A divided run is running and has no worker: its chunks hold it. It ends in the transaction that ends the last of
--     them. Whoever changes a chunk's state locks the run's row before.
--   * What a run is to change is frozen when it is divided: a row of run_items each, and none is added later.

ALTER TABLE runs ADD COLUMN is_divided boolean NOT NULL DEFAULT false;
ALTER TABLE runs DROP CONSTRAINT runs_check2;
ALTER TABLE runs ADD CONSTRAINT runs_held
    CHECK (CASE WHEN state = 'running' THEN (worker_id IS NULL) = is_divided ELSE worker_id IS NULL END);

-- 'untouched': frozen, and nothing was begun on it. An item is in doubt from right before its write until its result.
ALTER TABLE run_items ADD COLUMN chunk integer;
ALTER TABLE run_items DROP CONSTRAINT run_items_state_check;
ALTER TABLE run_items ADD CONSTRAINT run_items_state_check
    CHECK (state IN ('applied', 'failed', 'skipped', 'in_doubt', 'planned', 'untouched'));
CREATE INDEX run_items_by_chunk ON run_items (run_id, chunk) WHERE chunk IS NOT NULL;

CREATE TABLE run_chunks (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    chunk integer NOT NULL CHECK (chunk > 0),
    -- 'planned': its message is not written yet; only so many chunks of a run are in the queue at once.
    state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'queued', 'running', 'ended')),
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    failed_attempts integer NOT NULL DEFAULT 0,
    worker_id uuid,
    -- Why it waits; or why it ended early, and with it the chunks behind it.
    reason_code text,
    -- The gate's decision, where that was why.
    decision jsonb,
    -- When its message was written last.
    rung_at timestamptz,
    -- When the next attempt of a waiting chunk is due.
    next_attempt_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (run_id, chunk),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id),
    CHECK ((state = 'running') = (worker_id IS NOT NULL)),
    CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
    CHECK (state <> 'queued' OR rung_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX run_chunks_open ON run_chunks (run_id, state, chunk) WHERE state <> 'ended';
CREATE INDEX run_chunks_held ON run_chunks (worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX run_chunks_stopped ON run_chunks (run_id) WHERE state = 'ended' AND reason_code IS NOT NULL;

-- A call of a chunk; NULL for those of a run itself.
ALTER TABLE call_permits ADD COLUMN chunk integer;

-- From when on the next write to a tenant may begin. One row a tenant: its pace is everybody's, and no other tenant's.
CREATE TABLE write_budgets (
    tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
    free_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What a bulk operation chooses of the inventory, and why it can't change one. `named`, when there are any, stand for
-- themselves; else `filter` chooses of what is there. A kind is one of policies; NULL means devices.
CREATE FUNCTION bulk_selection(of_tenant uuid, of_connection uuid, of_kind text, filter jsonb, named text[])
RETURNS TABLE (item_key text, name text, ineligible text) LANGUAGE sql STABLE AS $$
    SELECT p.policy_id, p.name, NULL
    FROM inventory_policies p
    WHERE named IS NULL AND p.tenant_id = of_tenant AND p.connection_id = of_connection AND p.kind = of_kind
      AND p.gone_at IS NULL
      AND (filter->>'name_contains' IS NULL OR position(lower(filter->>'name_contains') IN lower(p.name)) > 0)
      AND (filter->>'type' IS NULL OR p.type = filter->>'type')
    UNION ALL
    SELECT d.device_id, d.name, NULL
    FROM inventory_devices d
    WHERE named IS NULL AND of_kind IS NULL AND d.tenant_id = of_tenant AND d.connection_id = of_connection
      AND d.gone_at IS NULL
      AND (filter->>'name_contains' IS NULL OR position(lower(filter->>'name_contains') IN lower(d.name)) > 0)
      AND (filter->>'operating_system' IS NULL OR d.operating_system = filter->>'operating_system')
      AND (filter->>'compliance_state' IS NULL OR d.compliance_state = filter->>'compliance_state')
      AND (filter->>'owner_type' IS NULL OR d.owner_type = filter->>'owner_type')
    UNION ALL
    SELECT n.id, i.name, CASE WHEN NOT coalesce(i.is_known, false) THEN 'not_in_inventory' WHEN i.is_gone THEN 'gone' END
    FROM unnest(named) AS n (id)
    LEFT JOIN LATERAL (
        SELECT p.name, true AS is_known, p.gone_at IS NOT NULL AS is_gone FROM inventory_policies p
        WHERE p.tenant_id = of_tenant AND p.connection_id = of_connection AND p.kind = of_kind AND p.policy_id = n.id
        UNION ALL
        SELECT d.name, true, d.gone_at IS NOT NULL FROM inventory_devices d
        WHERE of_kind IS NULL AND d.tenant_id = of_tenant AND d.connection_id = of_connection AND d.device_id = n.id
    ) AS i ON true
$$;

GRANT SELECT, INSERT, UPDATE ON run_chunks, write_budgets TO tenantatlas_services;
