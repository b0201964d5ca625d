-- Several webhooks of a person or system, with keys that take turns; e-mail; and for each notification an id of its own,
-- under which people find it and ask for it again.

-- No command ever made a webhook, and what is sealed here has another context: nothing is taken over.
DELETE FROM deliveries;
DELETE FROM notifications WHERE channel <> 'inbox';
DROP TABLE deliveries;
DROP TABLE webhooks;

-- Where a person or system is told by HTTP of the ends of their runs. A removed one keeps its row, for the history, and
-- loses everything secret.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    label text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
    -- Scheme, host and port: what people may read of the address. The rest may hold a secret.
    origin text NOT NULL CHECK (length(origin) BETWEEN 1 AND 300),
    -- The whole address, sealed to the notifier's key.
    url_key_id text,
    sealed_url bytea,
    signing text NOT NULL CHECK (signing IN ('hmac_sha256', 'ed25519')),
    -- When the first try failed of those that no success has followed.
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_because text CHECK (disabled_because IN ('person', 'gone', 'failing')),
    removed_at timestamptz,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id),
    FOREIGN KEY (workspace_id, created_by) REFERENCES users (workspace_id, id),
    UNIQUE (workspace_id, id),
    CHECK ((disabled_at IS NULL) = (disabled_because IS NULL)),
    CHECK ((removed_at IS NULL) = (sealed_url IS NOT NULL)),
    CHECK ((removed_at IS NULL) = (url_key_id IS NOT NULL))
);
CREATE INDEX webhooks_by_user ON webhooks (user_id) WHERE removed_at IS NULL;

-- What a webhook's messages are signed with: the latest, and those before it until they expire.
CREATE TABLE webhook_keys (
    webhook_id uuid NOT NULL REFERENCES webhooks (id),
    number integer NOT NULL CHECK (number > 0),
    -- The secret or private key, sealed to the notifier's key.
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    -- What receivers verify with, where that is no secret.
    public_key text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL for the latest.
    expires_at timestamptz,
    PRIMARY KEY (webhook_id, number)
);
CREATE UNIQUE INDEX webhook_keys_one_latest ON webhook_keys (webhook_id) WHERE expires_at IS NULL;

-- Who wants to be told by e-mail, and where. Without a row: nobody.
CREATE TABLE email_settings (
    user_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    address text NOT NULL CHECK (length(address) BETWEEN 3 AND 254),
    enabled boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);

-- One per run, channel and person; of the webhooks of one person, one each. An entry of the inbox that names a webhook
-- tells of the webhook: that it was switched off.
ALTER TABLE notifications
    DROP CONSTRAINT notifications_pkey,
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN webhook_id uuid,
    -- How many tries were begun. Counted when one is claimed: also those whose end nobody wrote down.
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD PRIMARY KEY (id),
    ADD CONSTRAINT notifications_once UNIQUE NULLS NOT DISTINCT (run_id, channel, user_id, webhook_id),
    ADD FOREIGN KEY (workspace_id, webhook_id) REFERENCES webhooks (workspace_id, id),
    ADD CHECK (channel = 'inbox' OR (channel = 'webhook') = (webhook_id IS NOT NULL));
DROP INDEX notifications_to_deliver;
CREATE INDEX notifications_to_deliver ON notifications (channel, next_delivery_at) WHERE next_delivery_at IS NOT NULL;
CREATE INDEX notifications_by_webhook ON notifications (webhook_id, run_id) WHERE webhook_id IS NOT NULL;
CREATE INDEX notifications_delivered ON notifications (workspace_id, run_id) WHERE channel <> 'inbox';

-- What came of each try to deliver a notification. Only ever added to.
CREATE TABLE delivery_tries (
    notification_id uuid NOT NULL REFERENCES notifications (id),
    attempt integer NOT NULL CHECK (attempt > 0),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The receiver's HTTP status or the relay's reply code; NULL when none arrived.
    status integer,
    -- A stable word for how it went: delivered, refused, unreachable, timeout, not_sent.
    result text NOT NULL,
    PRIMARY KEY (notification_id, attempt)
);

-- Notifications on their way as people see them.
CREATE VIEW delivery_summaries AS
SELECT n.id, n.workspace_id, n.run_id, n.tenant_id, t.name AS tenant_name, n.channel, n.user_id, u.name AS user_name,
       n.webhook_id, w.label, n.title, n.attempts, n.created_at, n.next_delivery_at, n.delivered_at
FROM notifications n
JOIN tenants t ON t.id = n.tenant_id
JOIN users u ON u.id = n.user_id
LEFT JOIN webhooks w ON w.id = n.webhook_id
WHERE n.channel <> 'inbox';

GRANT SELECT ON delivery_summaries TO tenantatlas_services;
GRANT SELECT, INSERT, UPDATE ON webhooks, webhook_keys, email_settings TO tenantatlas_services;
GRANT DELETE ON webhook_keys, email_settings TO tenantatlas_services;
GRANT SELECT, INSERT ON delivery_tries TO tenantatlas_services;
