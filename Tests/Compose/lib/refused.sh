# shellcheck shell=bash
# What each login may not do: everything here is tried with the login's own secret, over TLS, and has to be refused
# because of its rights.

refused_at_the_broker() {
    chapter "What each user of the broker may not do"
    local line verdict
    while IFS=$'\t' read -r verdict line; do
        if [[ "$verdict" == ok ]]; then
            TELLING_PASSED=$((TELLING_PASSED + 1))
            passed "$line"
        else
            TELLING_FAILED=$((TELLING_FAILED + 1))
            failed "$line"
        fi
    done < <(/usr/bin/python3 "$ROOT/Tests/Compose/lib/broker_rights.py" "$COMPOSED/secrets" "$(composed_address rabbitmq)" \
        2>"$STATE/logs/broker-rights.log" || printf 'bad\tbroker_rights.py ended with code %s: %s\n' "$?" \
        "$(tail -n 1 "$STATE/logs/broker-rights.log")")
    expect "what answers on the broker's port without TLS" nobody \
        "$(port_of_answers "$(composed_address rabbitmq)" 5672 && echo somebody || echo nobody)"
}

port_of_answers() { timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null; }

# login_sql ADDRESS SQL: prints what came out, and the error.
login_sql() {
    PGHOSTADDR=$(composed_address postgres) "$(postgres_programs)/psql" --no-psqlrc --quiet --tuples-only --no-align \
        --set VERBOSITY=sqlstate --set ON_ERROR_STOP=1 --dbname "$1" <<<"$2" 2>&1
}

# as_login LOGIN SQL: as that service. Prints the state of the error, or what came out.
as_login() {
    (login_sql "$(here <"$COMPOSED/secrets/database-url-$1")" "$2" || true) | tail -n 1 | sed 's/^.*ERROR: *//'
}

# may_not LOGIN WHAT SQL: «insufficient privilege».
may_not() { expect "$1 $2" 42501 "$(as_login "$1" "$3")"; }

refused_at_the_database() {
    chapter "What each login at the database may not do"
    local login logins=(starter provider-consumer inventory-consumer restore-consumer bulk-consumer notifier console)
    for login in "${logins[@]}"; do
        expect "$login logs in, and reads runs" t "$(as_login "$login" 'SELECT count(*) > 0 FROM runs')"
        may_not "$login" "changes the audit" "UPDATE audit SET details = '{}'"
        may_not "$login" "removes from the audit" 'DELETE FROM audit'
        may_not "$login" "empties the audit" 'TRUNCATE audit'
        may_not "$login" "makes a table" 'CREATE TABLE mine (x int)'
        may_not "$login" "drops a table" 'DROP TABLE runs'
        may_not "$login" "switches a trigger off" 'ALTER TABLE audit DISABLE TRIGGER ALL'
        may_not "$login" "becomes the owner" 'SET ROLE tenantatlas_owner'
        may_not "$login" "makes a login" 'CREATE ROLE intruder LOGIN'
        may_not "$login" "reads the server's files" "COPY users FROM '/etc/passwd'"
        may_not "$login" "runs a program" "COPY users TO PROGRAM 'cat'"
        may_not "$login" "reads who has which password" 'SELECT rolpassword FROM pg_authid'
        may_not "$login" "says that somebody else started a run" 'UPDATE runs SET initiator_id = NULL'
        may_not "$login" "lets everything go on that was frozen" 'UPDATE platform SET frozen = false'
        may_not "$login" "removes runs" 'DELETE FROM runs'
    done
    for login in starter notifier console; do
        may_not "$login" "reads sealed credentials" 'SELECT sealed FROM provider_credentials'
    done
    for login in "${logins[@]:0:6}"; do
        may_not "$login" "reads passwords' hashes" 'SELECT password FROM local_accounts'
    done
    for login in "${logins[@]:1}"; do
        may_not "$login" "gives somebody access" "INSERT INTO memberships (id) VALUES (gen_random_uuid())"
        may_not "$login" "starts a run" "INSERT INTO runs (id) VALUES (gen_random_uuid())"
        may_not "$login" "opens the write gate" 'UPDATE tenants SET write_gate_open = true'
        may_not "$login" "sets a credential" "UPDATE provider_credentials SET key_id = ''"
        may_not "$login" "enables a user" 'UPDATE users SET disabled_at = NULL'
    done
    for login in "${logins[@]:1:4}"; do
        may_not "$login" "reads tokens" 'SELECT token_hash FROM api_tokens'
        may_not "$login" "reads webhooks' keys" 'SELECT * FROM webhook_keys'
    done
    may_not console "changes a run" "UPDATE runs SET state = 'completed'"
    may_not console "puts something into the outbox" 'INSERT INTO outbox DEFAULT VALUES'
    may_not notifier "changes a run" "UPDATE runs SET state = 'completed'"
    may_not notifier "opens a call permit" 'INSERT INTO call_permits (id) VALUES (gen_random_uuid())'
    may_not starter "opens a call permit" 'INSERT INTO call_permits (id) VALUES (gen_random_uuid())'
    may_not inventory-consumer "reads backups' pace of writing" 'SELECT * FROM write_budgets'
    may_not provider-consumer "changes the inventory" 'UPDATE inventory_devices SET name = NULL'

    local url=$COMPOSED/secrets/database-url-starter
    not_let_in "$url" "without TLS" 'no pg_hba.conf entry' 's|sslmode=verify-full.*|sslmode=disable|'
    not_let_in "$url" "with a wrong password" 'password authentication failed' "s|//starter:[^@]*@|//starter:wrong@|"
    not_let_in "$url" "to the administrator's database" 'permission denied for database' "s|/tenantatlas?|/postgres?|"
    not_let_in "$url" "to a server that shows another one's certificate" 'does not match host name' "s|@postgres:|@rabbitmq:|"
}

# not_let_in FILE HOW BECAUSE SED: with the address in the file, changed like that, nobody gets in, and the message says why.
not_let_in() {
    local answer
    answer=$(login_sql "$(sed "$4" "$1" | here)" 'SELECT 1' || true)
    expect "logging in $2" "$3" "$(grep -oF "$3" <<<"$answer" || printf '%s' "$answer")"
}

# An address as it works from outside of a container.
here() { sed "s|sslrootcert=[^&]*|sslrootcert=$COMPOSED/secrets/authority|"; }
