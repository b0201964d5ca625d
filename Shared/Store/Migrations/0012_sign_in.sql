-- Signing in with the console.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantatlas_console') THEN
        CREATE ROLE tenantatlas_console NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    -- Roles belong to the whole server: another database is being migrated at the same moment.
    NULL;
END $$;

-- A session is a token that a browser keeps: it ends also when nobody used it for this long.
ALTER TABLE api_tokens ADD COLUMN idle_seconds integer CHECK (idle_seconds BETWEEN 1 AND 86400);

-- Accounts with a password: for first use, and where there is no identity provider.
CREATE TABLE local_accounts (
    user_id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    login text NOT NULL UNIQUE CHECK (length(login) BETWEEN 1 AND 200 AND login = lower(login)),
    -- What scrypt made of it, with its salt and cost.
    password text NOT NULL CHECK (password LIKE '$scrypt$%' AND length(password) <= 500),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);

-- Who somebody is at an identity provider.
CREATE TABLE identities (
    issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (issuer, subject),
    FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
);
CREATE INDEX identities_by_user ON identities (user_id);

-- Attempts to sign in with a password, by what they are limited by (a hash of it: the rows name nobody).
CREATE TABLE sign_in_attempts (
    subject bytea PRIMARY KEY CHECK (length(subject) = 32),
    count integer NOT NULL CHECK (count > 0),
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sign_in_attempts_by_age ON sign_in_attempts (since);

GRANT SELECT ON local_accounts, identities TO tenantatlas_console;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO tenantatlas_console;
