-- One batch of a hundred runs: what RunService does for it in two commits, as set-based statements without a program.
SELECT nextval('limit_batch') AS batch \gset
BEGIN;
SELECT id FROM runs WHERE id = ANY (ARRAY(SELECT id FROM limit_runs WHERE batch = :batch)) ORDER BY id FOR UPDATE;
SELECT r.id, r.operation, r.context, u.disabled_at, e.grant_id, e.role, t.operability, t.authority_epoch,
       t.freeze_generation, c.enabled, c.entra_tenant_id, k.connection_id, clock_timestamp()
FROM runs r
LEFT JOIN users u ON u.id = r.initiator_id
LEFT JOIN LATERAL entitlement(r.initiator_id, r.workspace_id, r.tenant_id) e ON true
LEFT JOIN tenant_authority t ON t.tenant_id = r.tenant_id
LEFT JOIN provider_connections c ON c.id = r.connection_id
LEFT JOIN provider_credentials k ON k.connection_id = c.id
WHERE r.id = ANY (ARRAY(SELECT id FROM limit_runs WHERE batch = :batch));
WITH changed AS (
    UPDATE runs r SET state = 'running', worker_id = r.id, started_at = clock_timestamp(),
                      context = r.context || jsonb_build_object('legitimacy', l.legitimacy)
    FROM limit_runs l WHERE l.batch = :batch AND r.id = l.id AND r.state = 'queued'
    RETURNING r.id, r.workspace_id, r.tenant_id, l.began
)
INSERT INTO audit (action, workspace_id, tenant_id, run_id, details)
SELECT 'run.began', workspace_id, tenant_id, id, began FROM changed;
COMMIT;
WITH changed AS (
    UPDATE runs r SET state = 'completed', outcome = 'succeeded', worker_id = NULL, completed_at = clock_timestamp(),
                      counts = '{"total": 1, "applied": 1}'
    FROM limit_runs l WHERE l.batch = :batch AND r.id = l.id AND r.state = 'running'
    RETURNING r.id, r.workspace_id, r.tenant_id, l.ended, l.body
), audited AS (
    INSERT INTO audit (action, workspace_id, tenant_id, run_id, details)
    SELECT 'run.ended', workspace_id, tenant_id, id, ended FROM changed
)
INSERT INTO outbox (due_at, route, message_id, run_id, body)
SELECT clock_timestamp() + interval '1 hour', 'run-events', id, id, body FROM changed;
DELETE FROM outbox WHERE run_id = ANY (ARRAY(SELECT id FROM limit_runs WHERE batch = :batch));
