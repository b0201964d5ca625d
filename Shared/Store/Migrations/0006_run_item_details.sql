-- What a run did to each thing, for people and for the attempt that goes on: restores write, and are interrupted.

ALTER TABLE run_items
    DROP CONSTRAINT run_items_state_check,
    -- planned: only looked at; what would be done is the result.
    ADD CHECK (state IN ('applied', 'failed', 'skipped', 'in_doubt', 'planned')),
    -- What people call it, where the key does not say it.
    ADD COLUMN label text CHECK (length(label) <= 1024),
    -- A sentence about what came of it.
    ADD COLUMN detail text CHECK (length(detail) <= 1024),
    -- The provider's id of the object that it is, or has become.
    ADD COLUMN object_id text CHECK (length(object_id) BETWEEN 1 AND 512),
    -- When it last became in doubt: right before something was sent to the provider.
    ADD COLUMN intended_at timestamptz;
