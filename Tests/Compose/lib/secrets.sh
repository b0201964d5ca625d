# shellcheck shell=bash
# The search for secrets where none belong: this installation's own ones, word for word, in everything that people keep,
# copy or look at; and what looks like a secret in the repository with its whole history.

no_secret_anywhere() {
    chapter "Secrets where none belong"
    local needles=$STATE/needles
    secrets_of_this_installation >"$needles"
    expect "secrets that are searched for, in lines" 37 "$(wc -l <"$needles")"
    expect "the search finds what is there" yes \
        "$(head -n 1 "$needles" | grep -qF -f "$needles" && echo yes || echo no)"
    # shellcheck disable=SC2046 # names have no spaces
    secrets_in "the images" docker save $(images_of_ours)
    # shellcheck disable=SC2046
    secrets_in "how the images were made" secrets_history
    # shellcheck disable=SC2046
    secrets_in "the containers' environment and arguments" docker inspect $(composed_containers)
    secrets_in "the containers' logs" secrets_logs
    secrets_in "the compose file, as it is read" compose config
    secrets_in "the broker's definitions" docker exec "$(composed_containers rabbitmq)" cat /var/lib/tenantatlas/definitions.json
    secrets_in "a dump of the database" secrets_dump
    secrets_in "the tree" secrets_tree
    if git -C "$ROOT" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        expect "what looks like a secret in the repository's history" "" "$(secrets_of_the_history)"
    else
        failed "not a git checkout: its history was not searched"
        TELLING_FAILED=$((TELLING_FAILED + 1))
    fi
    expect "who may enter the folder of the secrets" 700 "$(stat -c %a "$COMPOSED/secrets")"
    expect "who may read the authority's key" 600 "$(stat -c %a "$COMPOSED/secrets/authority-key")"
}

# Passwords out of the addresses, keys line by line, and the demo's tokens.
secrets_of_this_installation() {
    sed -n 's|^[a-z]*://[^:]*:\([^@]*\)@.*|\1|p' "$COMPOSED"/secrets/*-url-*
    cat "$COMPOSED"/secrets/{postgres-password,sandbox-control-token,demo-password,credential-private-key,notifier-private-key}
    grep -hE '^[A-Za-z0-9+/=]{40,}$' "$COMPOSED"/secrets/{authority,postgres,rabbitmq}-key
    jq -r '.users[].token' "$DEMO"
}

# secrets_in WHERE COMMAND …: none of them is in what the command puts out.
secrets_in() {
    local where=$1 found
    shift
    found=$("$@" 2>&1 | grep -acF -f "$STATE/needles" || true)
    expect "lines with a secret in $where" 0 "$found"
}

secrets_history() {
    local image
    for image in $(images_of_ours); do docker history --no-trunc "$image"; done
}

secrets_logs() {
    local container
    for container in $(composed_containers); do docker logs "$container" 2>&1; done
}

secrets_dump() { docker exec "$(composed_containers postgres)" pg_dumpall -U postgres --clean; }

secrets_tree() { (cd "$STATE/tree" && find . -type f ! -path './compose/secrets/*' -exec cat {} +); }

# Keys in PEM, tokens of well-known services and of ours, and passwords in addresses that are no examples, in every line
# that was ever added. Fixtures make their keys when they run.
secrets_of_the_history() {
    git -C "$ROOT" log --all -p --no-color --format=%h -U0 | grep -aE '^\+' | grep -aE \
        -e '-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/\\n]{64}' -e '^\+[A-Za-z0-9+/]{64}$' \
        -e '\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[0-9A-Za-z-]{20,}|AIza[0-9A-Za-z_-]{35})\b' \
        -e '\bta_[A-Za-z0-9_-]{43}\b' -e '(amqps?|postgres(ql)?)://[A-Za-z0-9_]+:[0-9a-f]{24,}@' | cut -c 1-120 | head -n 5
}
