-- Tells the planner that `platform` has one row. It takes a table that nobody has analysed for thousands of rows, and
-- planned each start and each begin as if it read that many.
CREATE OR REPLACE VIEW tenant_authority AS
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
CROSS JOIN (SELECT frozen, freeze_generation FROM platform LIMIT 1) p;
