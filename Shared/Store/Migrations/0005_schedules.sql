-- Schedules, what a run owes to one, and to the run that it repeats.

CREATE TABLE schedules (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    operation text NOT NULL,
    cron text NOT NULL CHECK (length(cron) BETWEEN 1 AND 200),
    -- An IANA name.
    time_zone text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
    -- As whom it starts runs; NULL: under the system's authority.
    user_id uuid,
    enabled boolean NOT NULL DEFAULT true,
    -- The moment that is to be fired next; NULL while it is disabled.
    next_due_at timestamptz,
    -- When the scheduler looks at it: when it is due and, while something is in the way, a little later again.
    look_at timestamptz,
    -- Why what is due was not fired yet, in a stable word.
    waits_for text,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When a person last made or changed it: what it did before is no reason to be silent about what it does now.
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (workspace_id, tenant_id) REFERENCES tenants (workspace_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES provider_connections (tenant_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id),
    FOREIGN KEY (workspace_id, created_by) REFERENCES users (workspace_id, id),
    CHECK (enabled = (next_due_at IS NOT NULL)),
    CHECK (enabled = (look_at IS NOT NULL)),
    -- The same twice would do nothing but stand in its own way; and a creation that is repeated finds the first.
    CONSTRAINT schedules_once UNIQUE NULLS NOT DISTINCT (connection_id, operation, cron, time_zone, user_id)
);
CREATE INDEX schedules_to_look_at ON schedules (look_at) WHERE enabled;
CREATE INDEX schedules_by_tenant ON schedules (tenant_id, id);

-- Whoever a key belongs to: a person, an upstream system, or a schedule, whose keys are its due moments.
ALTER TABLE start_keys RENAME COLUMN user_id TO caller_id;

ALTER TABLE runs
    -- The schedule that started it. It may be gone since.
    ADD COLUMN schedule_id uuid,
    -- The run that a person repeated by this one.
    ADD COLUMN retry_of uuid;
ALTER TABLE runs
    ADD FOREIGN KEY (tenant_id, retry_of) REFERENCES runs (tenant_id, id) ON DELETE SET NULL (retry_of);
CREATE INDEX runs_by_schedule ON runs (schedule_id, queued_at) WHERE schedule_id IS NOT NULL;
CREATE INDEX runs_by_retry ON runs (retry_of) WHERE retry_of IS NOT NULL;

-- Several people may be told of one run: one notification per run, channel and person.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_run_id_channel_fkey;
ALTER TABLE deliveries ADD COLUMN user_id uuid;
UPDATE deliveries d SET user_id = n.user_id FROM notifications n
WHERE n.run_id = d.run_id AND n.channel = d.channel;
ALTER TABLE deliveries ALTER COLUMN user_id SET NOT NULL;
ALTER TABLE notifications DROP CONSTRAINT notifications_pkey, ADD PRIMARY KEY (run_id, channel, user_id);
ALTER TABLE deliveries
    ADD FOREIGN KEY (run_id, channel, user_id) REFERENCES notifications (run_id, channel, user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON schedules TO tenantatlas_services;
