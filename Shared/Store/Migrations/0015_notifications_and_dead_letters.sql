-- What the console's pages for notifications, dead letters and saved views read, and when what was taken away took effect.

-- What nobody has read yet of each person's inbox: counted on every page, and looked at for what is new.
CREATE INDEX notifications_unread ON notifications (user_id, created_at) WHERE channel = 'inbox' AND read_at IS NULL;

-- The records that tell how long a change waited for the calls on the wire: the last ones are shown on the overview.
CREATE INDEX audit_took_effect ON audit (workspace_id, id) WHERE action = 'authority.took_effect';

-- Filters that a person has named in the console.
CREATE TABLE saved_views (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    -- As it stands in the filter bar.
    query text NOT NULL CHECK (length(query) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (user_id, name),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);

-- What lies in the dead-letter queues of the broker, as it was seen last: pages read the database only. The broker has the
-- messages; what a message says is not kept, because it may hold anything.
CREATE TABLE dead_letters (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- The queue that it was for.
    queue text NOT NULL CHECK (length(queue) BETWEEN 1 AND 200),
    -- SHA-256 of what it is and when it died, in hexadecimal: its beginning is the id that the operator's command shows.
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    -- How many lie there that are the same in everything.
    count integer NOT NULL CHECK (count > 0),
    -- The run that it names, and where that run belongs; NULL when it names none of ours.
    run_id uuid,
    workspace_id uuid,
    tenant_id uuid,
    -- Why it was refused, in the broker's word; what else its sender wrote is cut, and without what looks like a secret.
    reason text CHECK (length(reason) <= 100),
    died_at timestamptz,
    size bigint NOT NULL CHECK (size >= 0),
    type text CHECK (length(type) <= 100),
    message_id text CHECK (length(message_id) <= 100),
    first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Since when it is not found there; a while later the row is removed. Somebody else may have it in their hands.
    missed_at timestamptz,
    -- What a person wants done with it, and what came in the way of it.
    wish text CHECK (wish IN ('redrive', 'drop')),
    wished_by uuid,
    wished_at timestamptz,
    note text CHECK (length(note) BETWEEN 1 AND 500),
    trouble text CHECK (length(trouble) <= 500),
    UNIQUE (queue, digest),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id),
    FOREIGN KEY (workspace_id, tenant_id) REFERENCES tenants (workspace_id, id),
    FOREIGN KEY (workspace_id, wished_by) REFERENCES users (workspace_id, id),
    CHECK ((run_id IS NULL) = (tenant_id IS NULL)),
    CHECK ((run_id IS NULL) = (workspace_id IS NULL)),
    -- What names no run of ours is the platform engineer's.
    CHECK (wish IS NULL OR run_id IS NOT NULL),
    CHECK ((wish IS NULL) = (wished_at IS NULL)),
    CHECK (wish <> 'drop' OR note IS NOT NULL)
);
CREATE INDEX dead_letters_by_workspace ON dead_letters (workspace_id, coalesce(died_at, '-infinity'), id);
CREATE INDEX dead_letters_wished ON dead_letters (queue) WHERE wish IS NOT NULL;
CREATE INDEX dead_letters_missed ON dead_letters (missed_at) WHERE missed_at IS NOT NULL;

-- Those that lie there and name a run, as people see them.
CREATE VIEW dead_letter_summaries AS
SELECT l.id, l.queue, l.digest, l.count, l.run_id, r.operation, l.workspace_id, l.tenant_id, t.name AS tenant_name,
       l.reason, l.died_at, l.first_seen_at, l.message_id, l.type, l.size, l.wish, l.wished_by,
       u.name AS wisher_name, l.wished_at, l.trouble
FROM dead_letters l
JOIN runs r ON r.id = l.run_id
JOIN tenants t ON t.id = l.tenant_id
LEFT JOIN users u ON u.id = l.wished_by
WHERE l.missed_at IS NULL;

-- How each of these queues was seen last.
CREATE TABLE dead_letter_queues (
    queue text PRIMARY KEY,
    -- How many lay there after it was gone through.
    depth integer NOT NULL CHECK (depth >= 0),
    -- NULL when it never was.
    looked_at timestamptz,
    -- Until then one process goes through it.
    held_until timestamptz
);

GRANT SELECT ON dead_letter_summaries TO tenantatlas_services;
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views, dead_letters, dead_letter_queues TO tenantatlas_services;
