-- Connections that people change, credentials of two kinds, and tokens that may do less than their owner.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantatlas_gateway') THEN
        CREATE ROLE tenantatlas_gateway NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    -- Roles belong to the whole server: another database is being migrated at the same moment.
    NULL;
END $$;

-- Counts what people changed of it: an edit says which one it saw.
ALTER TABLE provider_connections ADD COLUMN revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0);

-- A client secret's kind is called so: the longer word stands in no row, so that a search for it finds leaks only.
ALTER TABLE provider_credentials DROP CONSTRAINT provider_credentials_kind_check;
UPDATE provider_credentials SET kind = 'secret';
ALTER TABLE provider_credentials
    ADD CONSTRAINT provider_credentials_kind_check CHECK (kind IN ('secret', 'certificate')),
    -- Of a certificate: the SHA-256 of its DER. Nothing is kept that was computed from a client secret.
    ADD COLUMN thumbprint bytea CHECK (length(thumbprint) = 32),
    -- Of a certificate its end; of a client secret what the person said about it.
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN set_by uuid,
    -- When it was sealed to another key. The version stays: it is the same credential.
    ADD COLUMN resealed_at timestamptz,
    ADD CONSTRAINT provider_credentials_thumbprint CHECK ((kind = 'certificate') = (thumbprint IS NOT NULL));
CREATE INDEX provider_credentials_by_key ON provider_credentials (key_id, connection_id);

ALTER TABLE api_tokens
    -- What the token may be used for at most; NULL for everything that its owner may do.
    ADD COLUMN capabilities text[] CHECK (cardinality(capabilities) BETWEEN 1 AND 100),
    -- Where; NULL for everywhere.
    ADD COLUMN tenant_ids uuid[] CHECK (cardinality(tenant_ids) BETWEEN 1 AND 200),
    -- NULL for the operator's command.
    ADD COLUMN issued_by uuid,
    -- To about ten minutes: it is not written at each request.
    ADD COLUMN last_used_at timestamptz;
CREATE INDEX api_tokens_by_user ON api_tokens (user_id, id);
CREATE INDEX api_tokens_by_workspace ON api_tokens (workspace_id, id);

-- ---------------------------------------------------------------------------------------------------------------
-- Rights: the cipher text of credentials is for those who hold the private key, and for nobody else.
-- ---------------------------------------------------------------------------------------------------------------

REVOKE SELECT ON provider_credentials FROM tenantatlas_services;
GRANT SELECT (connection_id, tenant_id, version, kind, key_id, thumbprint, expires_at, set_by, updated_at, resealed_at)
    ON provider_credentials TO tenantatlas_services;
GRANT SELECT (sealed) ON provider_credentials TO tenantatlas_gateway;

-- Consumers of the version before read credentials as tenantatlas_services, and go on doing so while they are replaced.
-- Where there are credentials, its members keep what they had; take it from the others than the consumers by
-- REVOKE tenantatlas_gateway FROM that login.
DO $$
DECLARE
    login name;
BEGIN
    IF EXISTS (SELECT FROM provider_credentials) THEN
        FOR login IN
            SELECT member.rolname FROM pg_auth_members m
            JOIN pg_roles role ON role.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
            WHERE role.rolname = 'tenantatlas_services'
        LOOP
            EXECUTE format('GRANT tenantatlas_gateway TO %I', login);
        END LOOP;
    END IF;
END $$;
