# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# The cluster variant from nothing, and the runbook's answers to the loss of its parts.

clustered() {
    chapter "The cluster variant: a node of the broker is lost, then the database's primary"
    local id member
    quietly "$COMPOSED/cluster/setup"
    composed_anew cluster.yaml
    expect "containers that stay up, all ready" 17 "$(composed_services | wc -l)"
    eventually "the broker's nodes are three" 120 clustered_nodes 3
    for member in 1 2 3; do
        quietly compose exec -T rabbitmq rabbitmq-queues grow "rabbit@rabbitmq$member" all
    done
    expect "members that each queue has" 3 "$(clustered_queues | jq -r '[.[].members | length] | unique | join(", ")')"
    quietly compose exec -T postgres synchronous
    expect "the standby, which commits wait for" postgres2 "$(clustered_standby)"
    clustered_check "a run"

    member=$(clustered_queues | jq -r '.[] | select(.name == "jobs.provider") | .leader' | tail -c 2)
    quietly compose kill "$(clustered_node "$member")"
    note "rabbitmq$member is killed, which led the provider's queue"
    clustered_check "a run without it"
    quietly compose start "$(clustered_node "$member")"
    eventually "the broker's nodes are three" 180 clustered_nodes 3

    id=$(start 'Nadia Brandt' policy.sync Litware)
    quietly compose kill postgres
    note "the primary is killed after it had acknowledged a start"
    quietly compose exec -T postgres-2 promote
    DATABASE_SERVICE=postgres-2
    eventually "the starter answers again" 60 starter_answers
    eventually "the run that was acknowledged has ended" 120 has_ended "$id"
    clustered_check "a new run, on the new primary"
    quietly compose run --rm --no-deps -e PRIMARY=postgres2 --entrypoint standby postgres --anew
    quietly compose start postgres
    quietly compose exec -T postgres-2 synchronous
    expect "the standby now" postgres1 "$(clustered_standby)"
    clustered_check "a run that waits for it"
    eventually "all services are ready" 180 composed_is_healthy
}

# clustered_check WHAT
clustered_check() {
    local id
    id=$(start 'Nadia Brandt' provider.connection.check Fabrikam)
    eventually "$1" 120 has_ended "$id"
    expect "$1" succeeded "$(run "$id" | jq -r .outcome)"
}

# The server that commits wait for.
clustered_standby() {
    composed_sql <<<"SELECT string_agg(application_name, ', ') FROM pg_stat_replication WHERE sync_state = 'quorum'"
}

# The service of the broker's node with that number.
clustered_node() { if (($1 == 1)); then printf 'rabbitmq\n'; else printf 'rabbitmq-%d\n' "$1"; fi; }

# rabbitmqctl on a node that runs.
clustered_ctl() {
    local service
    for service in rabbitmq rabbitmq-2; do
        compose exec -T "$service" rabbitmqctl --quiet --formatter json "$@" && return
    done
}

clustered_nodes() { [[ "$(clustered_ctl cluster_status | jq '.running_nodes | length')" == "$1" ]]; }
clustered_queues() { clustered_ctl list_queues --vhost tenantatlas name members leader type | jq 'map(select(.type == "quorum"))'; }
