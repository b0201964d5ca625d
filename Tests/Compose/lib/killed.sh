# shellcheck shell=bash
# Many instances, and the death of some of them: nothing is lost, nothing is done twice.

# The demo's tenants whose connections work.
TENANTS=(Contoso Fabrikam Litware 'Tailspin Toys' 'Woodgrove Bank' 'Adventure Works')

scaled_to_three() {
    chapter "The inventory family is scaled to three"
    composed_goes_up
    expect "containers of the family" 3 "$(composed_containers inventory-consumer | wc -l)"
    local since id tenant runs=()
    since=$(composed_sql <<<'SELECT clock_timestamp()')
    for tenant in "${TENANTS[@]}"; do runs+=("$(start 'Nadia Brandt' policy.sync "$tenant")"); done
    for id in "${runs[@]}"; do expect "run ${id:0:8} ends" succeeded "$(ended "$id" | jq -r .outcome)"; done
    expect "workers of the family that live" 3 \
        "$(composed_sql <<<"SELECT count(*) FROM workers WHERE service = 'inventory-consumer' AND ended_at IS NULL AND lease_until > clock_timestamp()")"
    expect "instances that took a share" yes "$(composed_sql <<<"
        SELECT CASE WHEN count(DISTINCT worker_id) >= 2 THEN 'yes' ELSE 'no: ' || count(DISTINCT worker_id) END
        FROM call_permits WHERE opened_at >= '$since'")"
}

# killed SERVICE: its first container dies as by a fault of its own (the engine did not do it, so it is started again).
killed() {
    local container
    container=$(composed_containers "$1" | head -n 1)
    kill -KILL "$(docker inspect --format '{{.State.Pid}}' "$container")"
    note "$1 is killed"
}

# assignment_to_all NAME: the parameters of a bulk run that assigns all of Contoso's policies to a new group of that name.
assignment_to_all() {
    local group
    group=$(sandbox POST "/tenants/$(entra_of Contoso)/entities/groups" "{\"displayName\":\"$1\"}" | jq .id)
    printf '{"kind": "device_configuration", "filter": {"all": true}, "assignment": {"target": "group", "group_id": %s}}' "$group"
}

# assigned_once RUN SINCE: the run is done, and Contoso received each of its assignments once.
assigned_once() {
    expect "the bulk run ended" succeeded "$(run "$1" | jq -r .outcome)"
    expect "policies assigned" 500 "$(run "$1" | jq .counts.applied)"
    expect "assignments that Contoso received, and of how many policies" "[500,500]" "$(journal Contoso "$2" |
        jq -c '[.entries[] | select(.change == "assign") | .objectId] | [length, (unique | length)]')"
}

killed_under_load() {
    chapter "In the middle of runs: services, then the broker, then the database are killed"
    local since id what bulk runs=() tenant started outcomes
    as 'Nadia Brandt' access grant --user 'Marcus Lindqvist' --role manager --workspace >/dev/null 2>&1 || true
    expect "a connection check of Contoso, for the write gate, ends" succeeded \
        "$(ended "$(start 'Nadia Brandt' provider.connection.check Contoso)" | jq -r .outcome)"
    as 'Nadia Brandt' access write-gate open --tenant Contoso >/dev/null
    what=$(assignment_to_all 'Ring 3')
    since=$(journal_end)
    started=$(composed_sql <<<'SELECT clock_timestamp()')
    bulk=$(start 'Nadia Brandt' policy.bulk_assign Contoso --parameters "$what")
    for tenant in Fabrikam Litware 'Tailspin Toys' 'Woodgrove Bank'; do
        runs+=("$(start 'Nadia Brandt' policy.sync "$tenant")")
    done
    eventually "some of the bulk run is done" 60 has_applied "$bulk" 60
    killed bulk-consumer
    killed inventory-consumer
    killed starter
    killed notifier
    # With the starter gone nobody answers; it is started again by the engine.
    eventually "the starter answers again" 60 starter_answers
    eventually "more of it is done" 90 has_applied "$bulk" 150
    killed rabbitmq
    eventually "more of it is done" 120 has_applied "$bulk" 250
    killed postgres
    eventually "the database answers again" 90 database_answers
    eventually "the starter answers again" 60 starter_answers
    for id in "$bulk" "${runs[@]}"; do
        eventually "run ${id:0:8} has ended" 240 has_ended "$id"
    done
    outcomes=$(for id in "${runs[@]}"; do run "$id" | jq -r .outcome; done | sort | uniq -c | awk '{ print $1, $2 }')
    expect "runs, and how they ended" "${#runs[@]} succeeded" "$outcomes"
    assigned_once "$bulk" "$since"
    eventually "all services are ready again" 120 composed_is_healthy
    eventually "the outbox is empty" 60 outbox_is_empty
    expect "runs without exactly one notification in the inbox" 0 "$(composed_sql <<<"
        SELECT count(*) FROM runs r WHERE r.completed_at >= '$started' AND r.initiator_id IS NOT NULL
        AND (SELECT count(*) FROM notifications n WHERE n.run_id = r.id AND n.channel = 'inbox') <> 1")"
    expect "runs that did not end exactly once" 0 "$(composed_sql <<<"
        SELECT count(*) FROM runs r WHERE r.completed_at >= '$started'
        AND (SELECT count(*) FROM audit a WHERE a.run_id = r.id AND a.action IN ('run.ended', 'run.blocked', 'run.cancelled')) <> 1")"
}

starter_answers() { curl -fs --max-time 2 -o /dev/null "$STARTER_URL/readyz"; }
database_answers() { [[ "$(composed_sql <<<'SELECT 1' 2>/dev/null)" == 1 ]]; }
has_ended() { [[ "$(run "$1" 2>/dev/null | jq -r .state)" == completed ]]; }
outbox_is_empty() { [[ "$(composed_sql <<<'SELECT count(*) FROM outbox')" == 0 ]]; }

# The broker's data is worth nothing: it comes back from its definitions and from the database.
broker_rebuilt_from_nothing() {
    chapter "The broker loses everything while runs are queued"
    local id runs=() tenant
    consumer_stops
    for tenant in Fabrikam Litware; do runs+=("$(start 'Nadia Brandt' provider.connection.check "$tenant")"); done
    quietly compose rm --stop --force rabbitmq
    docker volume rm "${PROJECT}_broker" >/dev/null
    composed_goes_up
    for id in "${runs[@]}"; do
        eventually "run ${id:0:8} has ended" 400 has_ended "$id"
        expect "run ${id:0:8} ends" succeeded "$(run "$id" | jq -r .outcome)"
    done
}
