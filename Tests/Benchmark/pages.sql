-- A year of a service provider: :runs runs on 400 tenants, most of them succeeded, some active.
INSERT INTO workspaces (id, name) VALUES ('a71a5000-0001-4000-8000-000000000001', 'Bench');
INSERT INTO users (id, workspace_id, name)
SELECT ('a71a5000-0006-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'a71a5000-0001-4000-8000-000000000001',
       CASE n WHEN 1 THEN 'owner' ELSE 'person ' || n END
FROM generate_series(1, 20) AS n;
INSERT INTO memberships (id, workspace_id, user_id, role)
SELECT gen_random_uuid(), workspace_id, id, CASE name WHEN 'owner' THEN 'owner' ELSE 'operator' END FROM users;
INSERT INTO tenants (id, workspace_id, name)
SELECT ('a71a5000-0002-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'a71a5000-0001-4000-8000-000000000001',
       'Tenant ' || n
FROM generate_series(1, 400) AS n;
INSERT INTO provider_connections (id, workspace_id, tenant_id, display_name, cloud, entra_tenant_id, entra_tenant_name,
                                  client_id, is_default)
SELECT ('a71a5000-0005-4000-8000-' || right(id::text, 12))::uuid, workspace_id, id, name, 'sandbox', id::text, name, 'client',
       true
FROM tenants;

-- Ids in the order of time, as starts make them: the milliseconds stand in front.
WITH numbered AS (
    SELECT n, now() - (:runs - n) * (interval '365 days' / :runs) AS at, random() AS luck, random() AS why,
           1 + floor(random() * 400)::int AS tenant, 1 + floor(random() * 20)::int AS person,
           floor(random() * 10)::int AS operation
    FROM generate_series(1, :runs) AS n
), ended AS (
    SELECT *, CASE WHEN luck < 0.94 THEN 'succeeded' WHEN luck < 0.96 THEN 'failed' WHEN luck < 0.98 THEN 'blocked'
                   WHEN luck < 0.99 THEN 'partially_succeeded' ELSE 'cancelled' END AS outcome
    FROM numbered
)
INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, outcome, reason_code, attempt, initiator_id,
                  context, counts, queued_at, expires_at, started_at, completed_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8'
            || lpad(to_hex(n), 15, '0'))::uuid,
       'a71a5000-0001-4000-8000-000000000001',
       ('a71a5000-0002-4000-8000-' || lpad(to_hex(tenant), 12, '0'))::uuid,
       ('a71a5000-0005-4000-8000-' || lpad(to_hex(tenant), 12, '0'))::uuid,
       (ARRAY['provider.connection.check', 'compliance.snapshot', 'inventory.sync', 'policy.sync', 'backup.run',
              'provider.connection.check', 'compliance.snapshot', 'inventory.sync', 'restore.execute',
              'device.bulk_sync'])[operation + 1],
       'completed', outcome,
       CASE outcome WHEN 'failed' THEN (ARRAY['throttled', 'permission_missing', 'timeout'])[1 + floor(why * 3)::int]
                    WHEN 'blocked' THEN (ARRAY['capability_missing', 'tenant_suspended', 'write_gate_closed'])
                                        [1 + floor(why * 3)::int] END,
       1, CASE WHEN why < 0.3 THEN NULL
               ELSE ('a71a5000-0006-4000-8000-' || lpad(to_hex(person), 12, '0'))::uuid END,
       '{}', '{"total": 40, "applied": 40}', at, at + interval '1 day', at, at + interval '3 seconds'
FROM ended;

-- One run on each of 300 connections waits or runs now.
INSERT INTO runs (id, workspace_id, tenant_id, connection_id, operation, state, reason_code, attempt, worker_id, initiator_id,
                  context, queued_at, expires_at, started_at)
SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7fff8f' || lpad(to_hex(n), 14, '0'))::uuid,
       'a71a5000-0001-4000-8000-000000000001',
       ('a71a5000-0002-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('a71a5000-0005-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'inventory.sync',
       CASE n % 3 WHEN 0 THEN 'running' ELSE 'queued' END, CASE n % 3 WHEN 1 THEN 'tenant_suspended' END, 1,
       CASE n % 3 WHEN 0 THEN gen_random_uuid() END, 'a71a5000-0006-4000-8000-000000000002', '{}', now(),
       now() + interval '1 day', CASE n % 3 WHEN 0 THEN now() END
FROM generate_series(1, 300) AS n;
VACUUM ANALYZE runs;
ANALYZE;
