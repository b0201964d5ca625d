# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# The composed system of the test: a copy of the tree in the private folder, with secrets, names and ports of its own.

COMPOSED_UP_SECONDS=300
# How many of what there is more than one of.
COMPOSED_NUMBERS=(--scale bulk-consumer=2 --scale inventory-consumer=3)
CONSUMERS=(provider-consumer inventory-consumer restore-consumer bulk-consumer)
OURS=(starter "${CONSUMERS[@]}" notifier console)
# Where the primary is.
DATABASE_SERVICE=postgres

# Sets COMPOSED (the folder of compose.yaml), COMPOSE (the command) and PROJECT.
composed_prepare() {
    PROJECT=tenantatlas-test-$$
    COMPOSED=$STATE/tree/compose
    mkdir "$STATE/tree"
    # What is tracked, and what is new and not ignored: nothing that was built, no secret.
    (cd "$ROOT" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        [[ ! -f "$file" ]] || printf '%s\0' "$file"
    done | tar -c --null -T -) | tar -x -C "$STATE/tree"
    if docker compose version >/dev/null 2>&1; then COMPOSE=(docker compose); else COMPOSE=(docker-compose); fi
    export COMPOSE_PROJECT_NAME=$PROJECT TAG=test COMMIT
    COMMIT=$(git -C "$ROOT" rev-parse HEAD)
    free_port && export STARTER_PORT=$PORT
    free_port && export CONSOLE_PORT=$PORT
    free_port && export PROMETHEUS_PORT=$PORT
    # So that nobody has to wait here.
    export REMINDER_SECONDS=20 WRITES_PER_SECOND=50 CONSOLE_URL=http://localhost:$CONSOLE_PORT
    note "Docker Engine $(docker version --format '{{.Server.Version}}'), $("${COMPOSE[@]}" version --short)"
}

# compose ARGUMENT …: on the test's project. Its own talk goes to a log. The services know the sandbox by its name.
compose() {
    (cd "$COMPOSED" && GRAPH_SANDBOX_URL=http://graph-sandbox:8080 "${COMPOSE[@]}" --profile demo --profile observability "$@") \
        2>>"$STATE/logs/compose.log"
}

# quietly COMMAND …: what it says goes to a log.
quietly() { "$@" >>"$STATE/logs/compose.log"; }

# Starts what does not run, in the numbers of the test. What another one waits for may be unhealthy from before, for a
# moment yet; then it is started by the next try.
composed_goes_up() {
    eventually "everything is started" "$COMPOSED_UP_SECONDS" composed_starts
    eventually "all services are ready" "$COMPOSED_UP_SECONDS" composed_is_healthy
}

composed_starts() { quietly compose up -d --no-recreate "${COMPOSED_NUMBERS[@]}"; }

# composed_anew FILE: from nothing, with that file over compose.yaml.
composed_anew() {
    quietly compose down --volumes --timeout 10
    export COMPOSE_FILE=compose.yaml:$1
    composed_goes_up
    composed_tokens
    GRAPH_SANDBOX_URL=http://$(composed_address graph-sandbox):8080
}

# composed_replaces SERVICE …: by new containers, which read their secrets anew.
composed_replaces() {
    local service numbers=()
    for service in "$@"; do
        numbers+=(--scale "$service=$(composed_containers "$service" | wc -l)")
    done
    quietly compose up -d --no-deps --force-recreate "${numbers[@]}" "$@"
}

# Starts all of it, with the demo's data. Sets what the stories need.
composed_is_up() {
    chapter "The first start"
    "$COMPOSED/setup" >"$STATE/logs/setup.log" 2>&1 || {
        show_end "$STATE/logs/setup.log"
        die "compose/setup failed."
    }
    local since=$SECONDS
    compose up -d --scale bulk-consumer=2 >>"$STATE/logs/compose.log" || {
        show_end "$STATE/logs/compose.log"
        die "The system did not come up."
    }
    eventually "all services are ready" "$COMPOSED_UP_SECONDS" composed_is_healthy
    expect "containers that stay up, all ready" 12 "$(composed_services | wc -l)"
    note "from nothing to ready in $((SECONDS - since)) s"
    composed_tokens
    STARTER_URL=http://127.0.0.1:$STARTER_PORT
    CONSOLE_URL=http://127.0.0.1:$CONSOLE_PORT
    GRAPH_SANDBOX_URL=http://$(composed_address graph-sandbox):8080
    SANDBOX_CONTROL_TOKEN=$(<"$COMPOSED/secrets/sandbox-control-token")
    DATABASE_URL=
    AMQP_URL=
    composed_atlas
    expect "the starter answers with the commit" "$COMMIT" "$(curl -fsS "$STARTER_URL/livez" | jq -r .commit)"
    expect "the console answers with the commit" "$COMMIT" "$(curl -fsS "$CONSOLE_URL/livez" | jq -r .commit)"
    expect "a service's first log line has the commit" "$COMMIT" \
        "$(docker logs "$(composed_containers notifier)" 2>&1 | head -n 1 | jq -r .commit)"
}

# The operator's command out of its image: it needs nothing but the C libraries. Sets BIN.
composed_atlas() {
    local container
    BIN=$STATE/bin
    mkdir -p "$BIN"
    container=$(docker create "tenantatlas/atlas:$TAG")
    docker cp -q "$container:/usr/local/bin/atlas" "$BIN/atlas"
    docker rm "$container" >/dev/null
}

# The demo's people with their tokens, which are new whenever the data is loaded.
composed_tokens() { eventually "the demo's data is loaded" 60 composed_demo_data; }

composed_demo_data() {
    DEMO=$STATE/demo-data.json
    [[ "$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$(composed_containers demo-data)")" == "exited 0" ]] &&
        docker cp -q "$(composed_containers demo-data):/var/lib/tenantatlas/demo-data.json" "$DEMO" && [[ -s "$DEMO" ]]
}

# The ids of a service's containers, one a line; of all containers without a name.
composed_containers() {
    docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$PROJECT" \
        --filter "label=com.docker.compose.oneoff=False" ${1:+--filter "label=com.docker.compose.service=$1"}
}

# The containers that stay up.
composed_services() {
    local service
    for service in postgres postgres-2 rabbitmq rabbitmq-2 rabbitmq-3 "${OURS[@]}" prometheus graph-sandbox; do
        composed_containers "$service"
    done
}

composed_is_healthy() {
    local states
    # shellcheck disable=SC2046 # ids have no spaces
    states=$(docker inspect --format '{{.State.Health.Status}}' $(composed_services) | sort -u)
    [[ "$states" == healthy ]]
}

# composed_address SERVICE: where its container answers on the inner network.
composed_address() {
    docker inspect --format "{{(index .NetworkSettings.Networks \"${PROJECT}_inside\").IPAddress}}" \
        "$(composed_containers "$1" | head -n 1)"
}

# composed_sql: the SQL on its input, as the server's administrator inside the database's container.
composed_sql() {
    docker exec -i "$(composed_containers "$DATABASE_SERVICE")" \
        psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 -U postgres -d tenantatlas
}

composed_logs() {
    local container
    for container in $(composed_containers); do
        printf '          %s\n' "$(docker inspect --format '{{.Name}} {{.State.Status}} {{.State.ExitCode}}' "$container")" >&2
        docker logs --tail 8 "$container" 2>&1 | cut -c 1-300 | sed 's/^/          | /' >&2
    done
}

# composed_end CODE: removes containers, networks, volumes. The images stay, so that the next build is short.
composed_end() {
    [[ -n "${PROJECT:-}" && -d "${COMPOSED:-}" ]] || return 0
    (($1 == 0)) || { show_end "$STATE/logs/compose.log" && composed_logs; }
    quietly compose down --volumes --remove-orphans --timeout 5
    local left
    left=$(composed_containers
        docker volume ls -q --filter "label=com.docker.compose.project=$PROJECT"
        docker network ls -q --filter "label=com.docker.compose.project=$PROJECT")
    if [[ -z "$left" ]]; then note "containers, volumes and networks are removed"; else failed "still there: $left"; fi
}

# What the stories do to the provider's consumer.
consumer_starts() {
    quietly compose start provider-consumer
    eventually "the provider consumer is ready" 60 composed_is_healthy
}
consumer_stops() {
    quietly compose stop provider-consumer
    note "the provider consumer is stopped: what is started now stays queued"
}
consumer_is_killed() { docker kill "$(composed_containers provider-consumer)" >/dev/null; }
