# shellcheck shell=bash
# The database's disk is full while work is queued: nothing is called, nothing is lost, and it goes on when there is room.

# Less than what the log alone would take in time.
DISK_SIZE=600m

disk_is_full() {
    chapter "The database's disk is full"
    local since id
    disk_is_small >"$COMPOSED/disk.yaml"
    composed_anew disk.yaml
    consumer_stops
    id=$(start 'Nadia Brandt' provider.connection.check Fabrikam)
    since=$(journal_end)
    disk_fills
    eventually "a start is refused" 120 disk_refuses_a_start
    passed "a start is refused with 503"
    TELLING_PASSED=$((TELLING_PASSED + 1))
    quietly compose start provider-consumer
    disk_has_room
    note "the file is removed"
    eventually "all services are ready again" 240 composed_is_healthy
    eventually "run ${id:0:8} has ended" 120 has_ended "$id"
    expect "run ${id:0:8} ends" succeeded "$(run "$id" | jq -r .outcome)"
    expect "at attempt" 1 "$(run "$id" | jq .attempt)"
    expect "requests that the tenant received, all recorded before" \
        "$(composed_sql <<<"SELECT count(*) FROM call_permits WHERE run_id = '$id'")" \
        "$(journal Fabrikam "$since" | jq '.entries | length')"
    expect "a new one" succeeded "$(ended "$(start 'Nadia Brandt' provider.connection.check Litware)" | jq -r .outcome)"
    expect "the audit's chain" whole "$(quietly compose run --rm atlas audit verify && echo whole)"
}

# A disk in memory. It lasts as long as somebody holds it, which the server does not while it starts anew.
disk_is_small() {
    cat <<YAML
services:
  holder:
    image: tenantatlas/atlas:\${TAG}
    user: "999:999"
    entrypoint: [sleep, infinity]
    network_mode: none
    volumes: [database:/disk]
volumes:
  database:
    driver: local
    driver_opts: {type: tmpfs, device: tmpfs, o: "size=$DISK_SIZE,uid=999,gid=999,mode=700"}
YAML
}

# As somebody's forgotten file would, but for less than a segment of the log: sessions can still begin, which need a little.
disk_fills() {
    docker exec -u 999 "$(composed_containers postgres)" bash -c \
        'free=$(df --output=avail -B1 "$1" | tail -n 1) && head -c $((free - 8000000)) /dev/zero >"$1/forgotten"' \
        - /var/lib/postgresql/data
}

disk_refuses_the_log() {
    ! composed_sql <<<"SELECT count(pg_logical_emit_message(false, 'test', repeat('x', 1000000))) FROM generate_series(1, 200)" \
        >/dev/null 2>>"$STATE/logs/compose.log"
}

# When the server has started anew there may be room for a little, so the log is filled again before each try.
disk_refuses_a_start() { disk_refuses_the_log && [[ "$(disk_start_answers 'Woodgrove Bank')" == 503 ]]; }

disk_has_room() { docker exec "$(composed_containers holder)" rm /disk/forgotten; }

# The status of the answer to a start.
disk_start_answers() {
    local connection
    connection=$(jq -r --arg name "$1" '.tenants[] | select(.name == $name) | .connection_id' "$DEMO")
    curl -s -o /dev/null -w '%{http_code}' --max-time 30 -H "Authorization: Bearer $(token_of 'Nadia Brandt')" \
        -H 'Content-Type: application/json' \
        -d "{\"operation\": \"provider.connection.check\", \"provider_connection_id\": \"$connection\"}" "$STARTER_URL/v1/runs"
}
