-- The audit's horizon is a transaction's number, and those are a server's own: a database that was restored on another
-- server goes on with lower ones, or with higher. The horizon says on which server it holds, and from which record on;
-- `atlas migrate` moves it (`AuditSeals.settle`).
CREATE FUNCTION audit_server() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT system_identifier FROM pg_control_system()
$$;

ALTER TABLE audit_horizon
    -- `audit_server()` of the server; null when it is not known.
    ADD COLUMN server bigint,
    -- All records before this one are sealed, whatever their transactions' numbers are.
    ADD COLUMN first_id bigint NOT NULL DEFAULT 1;

-- A horizon that this server has not come to yet is another server's.
UPDATE audit_horizon SET server = audit_server()
WHERE sealed_before <= pg_snapshot_xmax(pg_current_snapshot());
