-- Keeps the audit's details as the text that was written. As `jsonb` the order of a decision's checks was lost, and each
-- row was taken apart and sorted on the way in, and then compressed slowly.
ALTER TABLE audit ALTER COLUMN details TYPE json;

DO $$
DECLARE
    part regclass;
BEGIN
    -- The parent is among them: it gives its choice to the partitions that are still to come.
    FOR part IN SELECT relid FROM pg_partition_tree('audit') LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN details SET COMPRESSION lz4', part);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    -- A server that was built without LZ4 compresses as it can.
    NULL;
END $$;
