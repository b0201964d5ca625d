#!/bin/bash
# The first start as the official image does it: the data folder, a server that only a local socket reaches, the
# database, and what lies in /docker-entrypoint-initdb.d; then the server.
# shellcheck disable=SC1090 # what is sourced is not known before
set -Eeo pipefail

if [[ "$1" == postgres && "$(id -u)" == 0 ]]; then
    chown postgres "$PGDATA"
    exec setpriv --reuid postgres --regid postgres --init-groups "${BASH_SOURCE[0]}" "$@"
fi
if [[ "$1" == postgres && ! -s "$PGDATA/PG_VERSION" ]]; then
    [[ -z "$POSTGRES_PASSWORD_FILE" ]] || POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
    : "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE must be set}"
    : "${POSTGRES_USER:=postgres}"
    export POSTGRES_USER POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
    eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") $POSTGRES_INITDB_ARGS"
    export PGPASSWORD=$POSTGRES_PASSWORD
    pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p 5432)" -w start
    process_sql() { psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "$@"; }
    [[ "$POSTGRES_DB" == postgres ]] ||
        process_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    for file in /docker-entrypoint-initdb.d/*; do
        case "$file" in
            *.sh) if [[ -x "$file" ]]; then "$file"; else source "$file"; fi ;;
            *.sql) process_sql --dbname "$POSTGRES_DB" -f "$file" ;;
        esac
    done
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
fi
exec "$@"
