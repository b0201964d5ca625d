-- A role for each service, with what its statements need and nothing else: whoever takes over one service gets no
-- further than that one. Before, all of them were members of tenantatlas_services, which stays as it is: old and new
-- processes run side by side, and a login moves from the one to the other whenever its service is restarted.
--
-- Rules
--   * No role owns anything, and none may change or remove an audit row.
--   * Where a service changes a row that others rely on, it may change only the columns that it writes: a consumer can
--     put a run into another state and can't say that somebody else started it.
--   * A row is locked for writing only by those who may write it: hence the right to update a key that nobody updates.
--   * A login is a member of one role: «atlas database-logins» makes them.

DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY[
        'starter', 'provider_consumer', 'inventory_consumer', 'restore_consumer', 'bulk_consumer', 'notifier']
    LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantatlas_' || service) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', 'tenantatlas_' || service);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            -- Roles belong to the whole server: another database is being migrated at the same moment.
            NULL;
        END;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO
    tenantatlas_starter, tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
    tenantatlas_bulk_consumer, tenantatlas_notifier, tenantatlas_console;

-- It runs with its owner's rights.
REVOKE EXECUTE ON FUNCTION make_audit_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_audit_partitions(integer) TO tenantatlas_starter;

-- ---------------------------------------------------------------------------------------------------------------
-- Consumers: what the gate reads, runs and their records, and the way to the broker
-- ---------------------------------------------------------------------------------------------------------------

GRANT SELECT ON users, memberships, tenant_authority, provider_connections, workers, runs, run_chunks, call_permits,
    run_items, run_progress, outbox
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
-- The cipher text, too: a consumer alone holds the key to it.
GRANT SELECT ON provider_credentials
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT INSERT ON workers, call_permits, audit, outbox, run_items, run_progress
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT UPDATE (lease_until) ON workers
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT UPDATE (closed_at, http_status) ON call_permits
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT UPDATE (state, attempt, outcome, reason_code, counts, context, failed_attempts, is_divided, worker_id, started_at,
    next_attempt_at, completed_at) ON runs
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT UPDATE (due_at), DELETE ON outbox
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT UPDATE, DELETE ON run_items
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
GRANT UPDATE ON run_progress
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;
-- A chunk is asked for by every consumer, and there are none but in the bulk family.
GRANT UPDATE (state, attempt, failed_attempts, reason_code, decision, worker_id, rung_at, next_attempt_at, ended_at)
    ON run_chunks
    TO tenantatlas_provider_consumer, tenantatlas_inventory_consumer, tenantatlas_restore_consumer,
       tenantatlas_bulk_consumer;

-- Connection checks: the connection's health, and with it the write gate's.
GRANT UPDATE (health, health_reason, health_checked_at) ON provider_connections TO tenantatlas_provider_consumer;
GRANT SELECT ON tenants TO tenantatlas_provider_consumer;
GRANT UPDATE (write_gate_healthy, write_gate_checked_at, authority_epoch) ON tenants TO tenantatlas_provider_consumer;

-- Inventory, and backups.
GRANT SELECT, INSERT, UPDATE ON inventory_devices, inventory_policies, directory_groups, backup_sets, backup_items
    TO tenantatlas_inventory_consumer;
GRANT INSERT ON policy_contents, policy_versions TO tenantatlas_inventory_consumer;

-- Restores read backups.
GRANT SELECT ON backup_summaries, backup_items, policy_contents TO tenantatlas_restore_consumer;

-- Bulk runs: what they choose from, their chunks, and the pace of writing.
GRANT SELECT ON inventory_devices, inventory_policies TO tenantatlas_bulk_consumer;
GRANT INSERT ON run_chunks TO tenantatlas_bulk_consumer;
GRANT SELECT, INSERT, UPDATE ON write_budgets TO tenantatlas_bulk_consumer;

-- ---------------------------------------------------------------------------------------------------------------
-- Notifier
-- ---------------------------------------------------------------------------------------------------------------

GRANT SELECT ON users, memberships, tenants, runs, schedules, notifications, delivery_tries, webhooks, webhook_keys,
    email_settings TO tenantatlas_notifier;
GRANT INSERT ON notifications, delivery_tries, audit TO tenantatlas_notifier;
GRANT UPDATE (next_delivery_at, attempts, delivered_at, given_up_at) ON notifications TO tenantatlas_notifier;
GRANT UPDATE (failing_since, disabled_at, disabled_because) ON webhooks TO tenantatlas_notifier;

-- ---------------------------------------------------------------------------------------------------------------
-- Starter: people's wishes, the outbox, repairs, and the audit's seals
-- ---------------------------------------------------------------------------------------------------------------

GRANT SELECT ON workspaces, tenants, users, memberships, tenant_authority, api_tokens, provider_connections, workers,
    runs, start_keys, schedules, call_permits, run_items, run_progress, run_chunks, outbox, audit, audit_blocks,
    audit_horizon, notifications, delivery_tries, delivery_summaries, webhooks, webhook_keys, email_settings,
    backup_summaries, backup_sets, backup_items, policy_contents, inventory_devices, inventory_policies,
    directory_groups, saved_views, dead_letters, dead_letter_queues, dead_letter_summaries, schema_migrations
    TO tenantatlas_starter;
-- It seals a credential and never sees one again.
GRANT SELECT (connection_id, version, kind, key_id, thumbprint, expires_at, set_by, updated_at)
    ON provider_credentials TO tenantatlas_starter;
GRANT INSERT ON memberships, api_tokens, provider_connections, provider_credentials, runs, start_keys, schedules, outbox,
    audit, audit_blocks, webhooks, webhook_keys, email_settings TO tenantatlas_starter;
-- What lies in the broker's dead-letter queues, for the pages.
GRANT INSERT, UPDATE ON dead_letters, dead_letter_queues, saved_views TO tenantatlas_starter;
GRANT DELETE ON dead_letters, saved_views TO tenantatlas_starter;
GRANT UPDATE (revoked_at, revoked_by, role) ON memberships TO tenantatlas_starter;
GRANT UPDATE (disabled_at) ON users TO tenantatlas_starter;
GRANT UPDATE (operability, write_gate_open, write_gate_healthy, write_gate_checked_at, frozen, freeze_generation,
    authority_epoch) ON tenants TO tenantatlas_starter;
GRANT UPDATE (frozen, freeze_generation) ON workspaces TO tenantatlas_starter;
GRANT UPDATE (last_used_at, revoked_at) ON api_tokens TO tenantatlas_starter;
GRANT UPDATE (display_name, entra_tenant_id, entra_tenant_name, enabled, is_default, health, health_reason,
    health_checked_at, frozen, freeze_generation, revision) ON provider_connections TO tenantatlas_starter;
GRANT UPDATE (version, kind, key_id, sealed, thumbprint, expires_at, set_by, resealed_at, updated_at)
    ON provider_credentials TO tenantatlas_starter;
GRANT UPDATE (state, attempt, outcome, reason_code, counts, context, failed_attempts, is_divided, worker_id, started_at,
    next_attempt_at, completed_at, cancel_requested) ON runs TO tenantatlas_starter;
GRANT UPDATE (state, attempt, failed_attempts, reason_code, decision, worker_id, rung_at, next_attempt_at, ended_at)
    ON run_chunks TO tenantatlas_starter;
GRANT UPDATE (enabled, next_due_at, look_at, waits_for, changed_at), DELETE ON schedules TO tenantatlas_starter;
GRANT UPDATE (ended_at) ON workers TO tenantatlas_starter;
GRANT UPDATE (closed_at, in_doubt) ON call_permits TO tenantatlas_starter;
GRANT UPDATE (due_at), DELETE ON outbox TO tenantatlas_starter;
GRANT UPDATE ON audit_horizon TO tenantatlas_starter;
GRANT UPDATE (read_at, next_delivery_at, delivered_at, given_up_at) ON notifications TO tenantatlas_starter;
GRANT UPDATE (disabled_at, disabled_because, failing_since, removed_at, url_key_id, sealed_url) ON webhooks
    TO tenantatlas_starter;
GRANT UPDATE (expires_at), DELETE ON webhook_keys TO tenantatlas_starter;
GRANT UPDATE (address, enabled, changed_at), DELETE ON email_settings TO tenantatlas_starter;

-- ---------------------------------------------------------------------------------------------------------------
-- Console: it reads, and lets people sign in
-- ---------------------------------------------------------------------------------------------------------------

GRANT SELECT ON platform, workspaces, tenants, users, memberships, tenant_authority, api_tokens, provider_connections,
    workers, runs, start_keys, schedules, run_items, run_progress, audit, audit_blocks, audit_horizon, notifications,
    webhooks, webhook_keys, email_settings, delivery_summaries, delivery_tries, backup_summaries, backup_sets, backup_items,
    policy_contents, inventory_devices, inventory_policies, directory_groups, saved_views, dead_letters, dead_letter_queues,
    dead_letter_summaries, local_accounts, identities, sign_in_attempts TO tenantatlas_console;
GRANT SELECT (connection_id, version, kind, key_id, thumbprint, expires_at, set_by, updated_at)
    ON provider_credentials TO tenantatlas_console;
GRANT INSERT ON api_tokens, audit TO tenantatlas_console;
GRANT UPDATE (last_used_at, revoked_at) ON api_tokens TO tenantatlas_console;
GRANT INSERT, UPDATE (count, since), DELETE ON sign_in_attempts TO tenantatlas_console;
