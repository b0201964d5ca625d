-- The rows that the limit works on: as many queued runs as the benchmark drained, with the texts that the services
-- write, kept beside the runs so that pgbench need not send them.
DROP TABLE IF EXISTS limit_runs;
DROP SEQUENCE IF EXISTS limit_batch;
CREATE TABLE limit_runs AS
SELECT (row_number() OVER (ORDER BY id) - 1) / 100 AS batch, r.id, r.context -> 'legitimacy' AS legitimacy,
       (SELECT details FROM audit a WHERE a.run_id = r.id AND a.action = 'run.began' LIMIT 1) AS began,
       (SELECT details FROM audit a WHERE a.run_id = r.id AND a.action = 'run.ended' LIMIT 1) AS ended,
       convert_to(repeat('x', 640), 'UTF8') AS body
FROM runs r;
CREATE INDEX ON limit_runs (batch);
CREATE SEQUENCE limit_batch MINVALUE 0;
UPDATE runs SET state = 'queued', outcome = NULL, completed_at = NULL, worker_id = NULL, started_at = NULL,
                context = context - 'legitimacy';
VACUUM ANALYZE runs;
VACUUM ANALYZE limit_runs;
GRANT ALL ON limit_runs TO PUBLIC;
GRANT ALL ON SEQUENCE limit_batch TO PUBLIC;
