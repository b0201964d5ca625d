# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# A private PostgreSQL on a free loopback port: own data folder, own superuser with a random password, no unix socket,
# commits flushed to disk as in production.

POSTGRES_HOST=127.0.0.1
POSTGRES_MAX_CONNECTIONS=200
POSTGRES_READY_SECONDS=60

# The folder of PostgreSQL's programs, of the newest version whose server is installed. Fails when there is none.
postgres_programs() {
    local initdb
    initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    [[ -x "$initdb" ]] || initdb=$(command -v initdb) || return 1
    dirname "$initdb"
}

# postgres_start: starts PostgreSQL; its data folder is made when there is none.
# Sets POSTGRES_PORT and POSTGRES_URL (of the superuser, database "postgres").
postgres_start() {
    POSTGRES_BIN=$(postgres_programs) || die "PostgreSQL's server is not installed."
    # PostgreSQL refuses to run as root; then its own user does it.
    local PROCESS_USER=
    ((EUID != 0)) || PROCESS_USER=postgres
    secret postgres
    [[ -e "$STATE/postgres/data/PG_VERSION" ]] || postgres_initialise
    free_port
    POSTGRES_PORT=$PORT
    POSTGRES_URL=postgres://postgres:$SECRET@127.0.0.1:$POSTGRES_PORT/postgres
    # INT is PostgreSQL's fast shutdown, QUIT its immediate one; KILL would leave its shared memory behind.
    process_start postgres INT QUIT -- \
        "$POSTGRES_BIN/postgres" -D "$(readlink -f "$STATE/postgres/data")" -p "$POSTGRES_PORT"
    process_wait_ready postgres "$POSTGRES_READY_SECONDS" \
        "$POSTGRES_BIN/pg_isready" -q -h 127.0.0.1 -p "$POSTGRES_PORT"
}

# Makes $STATE/postgres, which holds the data folder.
postgres_initialise() {
    local folder=$STATE/postgres initdb=("$POSTGRES_BIN/initdb")
    if [[ -z "$PROCESS_USER" ]]; then
        install -d -m 700 "$folder"
    else
        initdb=(setpriv --reuid "$PROCESS_USER" --regid "$PROCESS_USER" --init-groups "${initdb[@]}")
        if ! setpriv --reuid "$PROCESS_USER" --regid "$PROCESS_USER" --init-groups test -x "$STATE"; then
            # A checkout below a home folder that only root may enter.
            ln -s "$(mktemp -d /var/tmp/tenantatlas-postgres.XXXXXX)" "$folder"
        fi
        install -d -m 700 "$folder/"
        folder=$(readlink -f "$folder")
        chown "$PROCESS_USER:" "$folder"
    fi
    (umask 077 && printf '%s\n' "$SECRET" >"$folder/password")
    [[ -z "$PROCESS_USER" ]] || chown "$PROCESS_USER:" "$folder/password"
    # The files need no flush here: the server's first checkpoint makes one.
    if ! (cd / && "${initdb[@]}" -D "$folder/data" --username=postgres --pwfile="$folder/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C --data-checksums --no-sync) >"$STATE/logs/initdb.log" 2>&1; then
        show_end "$STATE/logs/initdb.log"
        die "PostgreSQL's data folder could not be made."
    fi
    rm -f "$folder/password"
    cat >>"$folder/data/postgresql.conf" <<-CONFIGURATION
	listen_addresses = '127.0.0.1'
	unix_socket_directories = ''
	max_connections = $POSTGRES_MAX_CONNECTIONS
	CONFIGURATION
}

# postgres_sql DATABASE: runs the SQL on its input as the superuser, in one transaction, and prints bare rows.
# SQL comes by the input, not as an argument, since it may hold a password.
postgres_sql() {
    PGPASSWORD=$(<"$STATE/secrets/postgres") "$POSTGRES_BIN/psql" --no-psqlrc --quiet --tuples-only --no-align \
        --set ON_ERROR_STOP=1 -h "$POSTGRES_HOST" -p "$POSTGRES_PORT" -U postgres -d "$1"
}

# Removes the data folder, wherever it is.
postgres_remove() {
    if [[ -L "$STATE/postgres" ]]; then rm -rf -- "$(readlink -f "$STATE/postgres")"; fi
    rm -rf -- "$STATE/postgres"
}
