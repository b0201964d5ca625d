-- What a schedule asks of its operation beyond the name, as a start does.

ALTER TABLE schedules ADD COLUMN parameters jsonb CHECK (jsonb_typeof(parameters) = 'object');

-- The same twice would do nothing but stand in its own way; with other parameters it is not the same. By a digest:
-- parameters may be longer than an index can hold.
ALTER TABLE schedules DROP CONSTRAINT schedules_once;
CREATE UNIQUE INDEX schedules_once ON schedules
    (connection_id, operation, cron, time_zone, user_id, md5(parameters::text)) NULLS NOT DISTINCT;
