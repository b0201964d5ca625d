# shellcheck shell=bash
# What the runbook tells people to do, done as it says.

# The runbook's first commands, in a workspace beside the demo's.
first_people() {
    chapter "The first people of a workspace"
    local token
    quietly compose run --rm atlas workspaces create 'Fourth Coffee'
    quietly compose run --rm atlas users create 'Ines Ferrer' --role owner --workspace 'Fourth Coffee'
    expect "its owner gets a login and a password" ines \
        "$(compose run --rm atlas accounts set --user 'Ines Ferrer' --login Ines --json | jq -r 'select(.password != null) | .login')"
    expect "tenants that are new" 2 \
        "$(compose run --rm atlas tenants create 'Graphic Design' Proseware --workspace 'Fourth Coffee' --json |
            jq '[.tenants[] | select(.created)] | length')"
    token=$(compose run --rm atlas tokens issue --user 'Ines Ferrer' --json | jq -r .token)
    expect "what she sees at the API: her workspace's, and no other's" 'Graphic Design, Proseware' \
        "$(curl -fsS -H "Authorization: Bearer $token" "$STARTER_URL/v1/tenants" | jq -r '[.tenants[].name] | sort | join(", ")')"
}

restored_from_a_dump() {
    chapter "The database's server is lost, and a new one gets the dump"
    local before id
    compose exec -T postgres pg_dump -U postgres -Fc tenantatlas >"$STATE/database.dump"
    before=$(composed_sql <<<"SELECT count(*) || ' runs, ' || (SELECT count(*) FROM audit) || ' records' FROM runs")
    note "in the dump: $before"
    quietly database_on_a_new_server
    compose exec -T postgres pg_restore -U postgres -d tenantatlas --exit-on-error <"$STATE/database.dump"
    expect "what is there is what was there" "$before" \
        "$(composed_sql <<<"SELECT count(*) || ' runs, ' || (SELECT count(*) FROM audit) || ' records' FROM runs")"
    quietly compose run --rm migrate
    composed_goes_up
    expect "the audit's chain" whole "$(compose run --rm atlas audit verify >>"$STATE/logs/compose.log" && echo whole)"
    composed_tokens
    id=$(start 'Nadia Brandt' provider.connection.check Fabrikam)
    expect "a new run, with a credential out of the dump, ends" succeeded "$(ended "$id" | jq -r .outcome)"
    eventually "the audit of both servers is sealed, and whole" 30 composed_audit_is_sealed
}

# Nothing is left of the old one but the dump.
database_on_a_new_server() {
    compose rm --stop --force "${OURS[@]}"
    compose rm --stop --force postgres
    docker volume rm "${PROJECT}_database"
    compose up -d postgres
    compose run --rm migrate
    compose exec -T postgres psql -q -U postgres -c 'DROP DATABASE tenantatlas' \
        -c 'CREATE DATABASE tenantatlas OWNER tenantatlas_owner'
}

passwords_are_changed() {
    chapter "A service's passwords are changed"
    local old=$STATE/old-address service=inventory-consumer
    cp "$COMPOSED/secrets/database-url-$service" "$old"
    rm "$COMPOSED/secrets/database-url-$service" "$COMPOSED/secrets/amqp-url-$service"
    quietly "$COMPOSED/setup"
    quietly compose run --rm logins
    composed_replaces definitions
    eventually "the definitions are written" 30 composed_wrote_definitions
    quietly compose restart rabbitmq
    composed_replaces "$service"
    eventually "all services are ready again" 180 composed_is_healthy
    expect "the service works with the new ones" succeeded "$(ended "$(start 'Nadia Brandt' policy.sync Litware)" | jq -r .outcome)"
    not_let_in "$old" "with the password from before" 'password authentication failed' ''
}

# The same sources under another commit: what counts is that every container of ours is replaced while work is under way.
# The sandbox, which is the provider here, stays.
upgraded() {
    chapter "A new version takes the place of the old one in the middle of runs, and goes again"
    local what since bulk id tenant old=$COMMIT new runs=()
    new=$(sha1sum <<<"$old" | cut -d ' ' -f 1)
    export TAG=next COMMIT=$new
    quietly compose build
    what=$(assignment_to_all 'Ring 4')
    expect "a connection check of Contoso, for the write gate, ends" succeeded \
        "$(ended "$(start 'Nadia Brandt' provider.connection.check Contoso)" | jq -r .outcome)"
    since=$(journal_end)
    bulk=$(start 'Nadia Brandt' policy.bulk_assign Contoso --parameters "$what")
    for tenant in Fabrikam Litware 'Woodgrove Bank'; do runs+=("$(start 'Nadia Brandt' backup.run "$tenant")"); done
    eventually "some of the bulk run is done" 60 has_applied "$bulk" 60
    quietly compose run --rm migrate
    quietly compose run --rm logins
    quietly compose up -d "${COMPOSED_NUMBERS[@]}" "${OURS[@]}"
    eventually "all services are ready again" 180 composed_is_healthy
    expect "commits that the programs tell" "$new" "$(composed_commits)"
    for id in "$bulk" "${runs[@]}"; do eventually "run ${id:0:8} has ended" 120 has_ended "$id"; done
    assigned_once "$bulk" "$since"
    expect "consumers that worked at it, of both versions" yes "$(composed_sql <<<"
        SELECT CASE WHEN count(DISTINCT worker_id) > 2 THEN 'yes' ELSE 'no: ' || count(DISTINCT worker_id) END
        FROM call_permits WHERE run_id = '$bulk'")"
    for id in "${runs[@]}"; do expect "run ${id:0:8} ended" succeeded "$(run "$id" | jq -r .outcome)"; done
    export TAG=test COMMIT=$old
    quietly compose up -d "${COMPOSED_NUMBERS[@]}" "${OURS[@]}"
    eventually "all services are ready again" 180 composed_is_healthy
    expect "commits that the programs tell" "$old" "$(composed_commits)"
    expect "a run of the old version" succeeded "$(ended "$(start 'Nadia Brandt' policy.sync Litware)" | jq -r .outcome)"
    # shellcheck disable=SC2046 # names have no spaces
    quietly docker image rm $(TAG=next images_of_ours)
}

# The commits in the first log lines of our services.
composed_commits() {
    local service container
    for service in "${OURS[@]}"; do
        for container in $(composed_containers "$service"); do
            docker logs "$container" 2>&1 | sed -n '1p' | jq -r .commit
        done
    done | sort -u
}

certificates_are_rotated() {
    chapter "The certificates are rotated"
    local before name
    before=$(composed_shows postgres 5432 -starttls postgres)
    quietly "$COMPOSED/setup" --certificates
    quietly compose restart postgres rabbitmq
    eventually "all services are ready again" 180 composed_is_healthy
    expect "the database shows another" yes "$([[ "$before" != "$(composed_shows postgres 5432 -starttls postgres)" ]] && echo yes)"
    for name in postgres rabbitmq; do
        openssl x509 -noout -fingerprint -sha256 -in "$COMPOSED/secrets/$name-certificate" >"$STATE/$name-fingerprint"
    done
    expect "the database shows the new one" "$(<"$STATE/postgres-fingerprint")" "$(composed_shows postgres 5432 -starttls postgres)"
    expect "the broker shows the new one" "$(<"$STATE/rabbitmq-fingerprint")" "$(composed_shows rabbitmq 5671)"
    expect "a run under them" succeeded "$(ended "$(start 'Nadia Brandt' policy.sync Litware)" | jq -r .outcome)"
}

# composed_shows SERVICE PORT OPTION …: the fingerprint of the certificate that it shows.
composed_shows() {
    openssl s_client -connect "$(composed_address "$1"):$2" "${@:3}" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256
}

sealing_key_is_rotated() {
    chapter "The key that credentials are sealed to is rotated"
    local secrets=$COMPOSED/secrets new=$COMPOSED/new
    mkdir "$new"
    quietly compose run --rm --no-deps -v "$new:/new" --user "$(id -u)" atlas \
        keys generate --private-key /new/private --public-key /new/public
    chmod 644 "$secrets/credential-private-key" "$secrets/credential-public-key"
    cat "$new/private" >>"$secrets/credential-private-key"
    composed_replaces "${CONSUMERS[@]}"
    cat "$new/public" >"$secrets/credential-public-key"
    composed_replaces starter
    eventually "all services are ready again" 120 composed_is_healthy
    expect "a run while both keys hold" succeeded "$(ended "$(start 'Nadia Brandt' policy.sync Litware)" | jq -r .outcome)"
    expect "credentials that were sealed anew" 6 \
        "$(compose run --rm -v "$secrets/credential-private-key:/key:ro" -e CREDENTIAL_PRIVATE_KEY_FILE=/key \
            atlas credentials reseal --json | jq .resealed)"
    cat "$new/private" >"$secrets/credential-private-key"
    chmod 444 "$secrets/credential-private-key" "$secrets/credential-public-key"
    rm -r "$new"
    composed_replaces "${CONSUMERS[@]}"
    eventually "all services are ready again" 120 composed_is_healthy
    expect "a run with the new key alone" succeeded "$(ended "$(start 'Nadia Brandt' policy.sync Fabrikam)" | jq -r .outcome)"
}

# Whether every record is in a block, and the chain is whole.
composed_audit_is_sealed() {
    [[ "$(compose run --rm atlas audit verify --json | jq '[.workspaces[] | .whole and .unsealed == 0] | all')" == true ]]
}

composed_wrote_definitions() {
    [[ "$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$(composed_containers definitions)")" == "exited 0" ]]
}
