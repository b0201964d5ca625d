-- What lists of runs are filtered by. Ids are in the order of time, so each index also serves «since» and paging.

-- What succeeded is most of the runs, and found fast enough without an index of its own.
CREATE INDEX runs_by_outcome ON runs (workspace_id, outcome, id) WHERE outcome <> 'succeeded';
CREATE INDEX runs_by_operation ON runs (workspace_id, operation, id);
CREATE INDEX runs_by_initiator ON runs (initiator_id, id) WHERE initiator_id IS NOT NULL;

-- Whether a list shows the run; NULL for what it does not ask about. It is inlined into the lists' queries.
CREATE FUNCTION run_is_listed(
    run runs, of_state text, of_outcome text, of_operation text, of_reason text, of_initiator uuid, by_system boolean,
    on_connection uuid, waits boolean
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (of_state IS NULL OR run.state = of_state)
       AND (of_outcome IS NULL OR run.outcome = of_outcome)
       AND (of_operation IS NULL OR run.operation = of_operation)
       AND (of_reason IS NULL OR run.reason_code = of_reason)
       AND (of_initiator IS NULL OR run.initiator_id = of_initiator)
       AND (by_system IS NOT TRUE OR run.initiator_id IS NULL)
       AND (on_connection IS NULL OR run.connection_id = on_connection)
       AND (waits IS NULL OR (run.reason_code IS NOT NULL) = waits)
$$;
