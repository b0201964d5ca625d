# shellcheck shell=bash source-path=SCRIPTDIR
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# The whole stack, part by part, in the order in which the parts are started: for up, demo and bench.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=output.sh
source "$ROOT/scripts/lib/output.sh"
# shellcheck source=ports.sh
source "$ROOT/scripts/lib/ports.sh"
# shellcheck source=state.sh
source "$ROOT/scripts/lib/state.sh"
# shellcheck source=processes.sh
source "$ROOT/scripts/lib/processes.sh"
# shellcheck source=postgres.sh
source "$ROOT/scripts/lib/postgres.sh"
# shellcheck source=rabbitmq.sh
source "$ROOT/scripts/lib/rabbitmq.sh"
# shellcheck source=install.sh
source "$ROOT/scripts/lib/install.sh"
# shellcheck source=build.sh
source "$ROOT/scripts/lib/build.sh"

STACK_LOG_LEVEL=${LOG_LEVEL:-info}

# PostgreSQL and RabbitMQ.
stack_servers() {
    postgres_start
    passed "PostgreSQL on 127.0.0.1:$POSTGRES_PORT"
    rabbitmq_start
    passed "RabbitMQ on 127.0.0.1:$RABBITMQ_PORT"
    AMQP_URL=$RABBITMQ_URL
}

# The database with its owner, who migrates, and a login with its own rights for each service. Sets OWNER_DATABASE_URL, and
# DATABASE_URL (the starter's) and CONSOLE_DATABASE_URL for the tests.
stack_database() {
    local service
    # What was built last, for a system test that is run by itself; who builds has said it before.
    export BIN=${BIN:-$ROOT/.build/debug}
    [[ -x "$BIN/atlas" ]] || die "There are no programs in $BIN. Build them first: swift build"
    secret database-owner
    OWNER_DATABASE_URL=postgres://atlas_owner:$SECRET@$POSTGRES_HOST:$POSTGRES_PORT/tenantatlas
    if [[ -z "$(postgres_sql postgres <<<"SELECT 1 FROM pg_database WHERE datname = 'tenantatlas'")" ]]; then
        postgres_sql postgres <<<"CREATE ROLE atlas_owner LOGIN CREATEROLE PASSWORD '$SECRET'"
        postgres_sql postgres <<<"CREATE DATABASE tenantatlas OWNER atlas_owner"
    fi
    stack_as_owner migrate
    for service in "${STACK_SERVICES[@]}"; do
        secret "database-$service"
        (umask 077 && printf 'postgres://%s:%s@%s:%s/tenantatlas' "$service" "$SECRET" "$POSTGRES_HOST" "$POSTGRES_PORT" \
            >"$STATE/secrets/database-url-$service")
    done
    stack_as_owner database-logins "$STATE"/secrets/database-url-*
    # For what tests start themselves.
    export STACK_SECRETS=$STATE/secrets
    DATABASE_URL=$(stack_database_url starter)
    CONSOLE_DATABASE_URL=$(stack_database_url console)
    passed "database migrated"
}

STACK_SERVICES=(starter provider-consumer inventory-consumer restore-consumer bulk-consumer notifier console)

# stack_database_url SERVICE: what it logs in to the database by.
stack_database_url() { cat "$STATE/secrets/database-url-$1"; }

# stack_as_owner COMMAND …: the operator's command as the database's owner, quietly.
stack_as_owner() {
    DATABASE_URL=$OWNER_DATABASE_URL stack_atlas "$@" >"$STATE/logs/$1.log" 2>&1 || {
        show_end "$STATE/logs/$1.log"
        die "«atlas $1» failed."
    }
}

# The key pairs that seal credentials and webhooks. Only the consumers and the notifier get the private halves.
stack_keys() {
    CREDENTIAL_PRIVATE_KEY_FILE=$STATE/secrets/credential-private-key
    CREDENTIAL_PUBLIC_KEY_FILE=$STATE/secrets/credential-public-key
    NOTIFIER_PRIVATE_KEY_FILE=$STATE/secrets/notifier-private-key
    NOTIFIER_PUBLIC_KEY_FILE=$STATE/secrets/notifier-public-key
    stack_key_pair "$CREDENTIAL_PRIVATE_KEY_FILE" "$CREDENTIAL_PUBLIC_KEY_FILE"
    stack_key_pair "$NOTIFIER_PRIVATE_KEY_FILE" "$NOTIFIER_PUBLIC_KEY_FILE"
}

# stack_key_pair PRIVATE PUBLIC: makes the files, unless they are there.
stack_key_pair() {
    [[ ! -e "$1" ]] || return 0
    stack_atlas keys generate --private-key "$1" --public-key "$2" >/dev/null ||
        die "The key pair $1 could not be made."
}

# stack_atlas ARGUMENT …: the operator's command, pointed at this stack.
stack_atlas() {
    DATABASE_URL=$DATABASE_URL AMQP_URL=${AMQP_URL:-} STARTER_URL=${STARTER_URL:-} ATLAS_TOKEN=${ATLAS_TOKEN:-} \
        GRAPH_SANDBOX_URL=${GRAPH_SANDBOX_URL:-} SANDBOX_CONTROL_TOKEN=${SANDBOX_CONTROL_TOKEN:-} \
        CREDENTIAL_PUBLIC_KEY_FILE=${CREDENTIAL_PUBLIC_KEY_FILE:-} "$BIN/atlas" "$@"
}

# stack_sandbox [ARGUMENT …]: the emulator of Microsoft Graph, with its control surface on.
# Sets GRAPH_SANDBOX_URL and SANDBOX_CONTROL_TOKEN.
stack_sandbox() {
    secret sandbox-control
    SANDBOX_CONTROL_TOKEN=$SECRET
    free_port
    GRAPH_SANDBOX_URL=http://127.0.0.1:$PORT
    process_start sandbox TERM KILL "SANDBOX_CONTROL_TOKEN=$SANDBOX_CONTROL_TOKEN" -- \
        "$BIN/GraphSandbox" --port "$PORT" --control "$@"
    # It has no page for this; that it answers at all is enough.
    process_wait_ready sandbox "$SERVICE_READY_SECONDS" curl -s --max-time 2 -o /dev/null "$GRAPH_SANDBOX_URL"
    passed "Graph sandbox at $GRAPH_SANDBOX_URL"
}

# stack_service NAME EXECUTABLE [VARIABLE=VALUE …]: a service on this stack's database and broker. Sets SERVICE_URL.
stack_service() {
    local name=$1 executable=$2
    shift 2
    service_start "$name" "$executable" "DATABASE_URL=$DATABASE_URL" "AMQP_URL=$AMQP_URL" \
        "GRAPH_SANDBOX_URL=$GRAPH_SANDBOX_URL" "LOG_LEVEL=$STACK_LOG_LEVEL" "$@"
    passed "$name at $SERVICE_URL"
}

# Takes requests, relays the outbox, repairs. Sets STARTER_URL.
stack_starter() {
    stack_service starter Starter "CREDENTIAL_PUBLIC_KEY_FILE=$CREDENTIAL_PUBLIC_KEY_FILE" \
        "NOTIFIER_PUBLIC_KEY_FILE=$NOTIFIER_PUBLIC_KEY_FILE" WEBHOOK_ALLOW_PRIVATE=true \
        FAMILIES=provider,inventory,restore,bulk "$@"
    STARTER_URL=$SERVICE_URL
}

# stack_family_consumer FAMILY NAME EXECUTABLE [VARIABLE=VALUE …]: a consumer, which alone opens credentials.
stack_family_consumer() {
    local family=$1 name=$2 executable=$3
    shift 3
    stack_service "$name" "$executable" "DATABASE_URL=$(stack_database_url "$family-consumer")" \
        "CREDENTIAL_PRIVATE_KEY_FILE=$CREDENTIAL_PRIVATE_KEY_FILE" "$@"
}

# stack_consumer NAME [VARIABLE=VALUE …]: a consumer of the provider family; there may be several.
stack_consumer() {
    local name=$1
    shift
    stack_family_consumer provider "$name" ProviderConsumer "$@"
}

# stack_inventory NAME [VARIABLE=VALUE …]: a consumer of the inventory family; there may be several.
stack_inventory() {
    local name=$1
    shift
    stack_family_consumer inventory "$name" InventoryConsumer "$@"
}

# stack_restore NAME [VARIABLE=VALUE …]: a consumer of the restore family; there may be several.
stack_restore() {
    local name=$1
    shift
    stack_family_consumer restore "$name" RestoreConsumer "$@"
}

# stack_bulk NAME [VARIABLE=VALUE …]: a consumer of the bulk family; there may be several, and they share one run.
stack_bulk() {
    local name=$1
    shift
    stack_family_consumer bulk "$name" BulkConsumer "$@"
}

# Tells people how their runs ended. Webhooks may lead to this machine.
stack_notifier() {
    stack_service notifier Notifier "DATABASE_URL=$(stack_database_url notifier)" \
        "NOTIFIER_PRIVATE_KEY_FILE=$NOTIFIER_PRIVATE_KEY_FILE" \
        WEBHOOK_ALLOW_PRIVATE=true "$@"
}

# The pages for people. Sets CONSOLE_URL.
stack_console() {
    free_port
    CONSOLE_URL=http://127.0.0.1:$PORT
    SERVICE_PORT=$PORT stack_service console Console "DATABASE_URL=$CONSOLE_DATABASE_URL" "STARTER_URL=$STARTER_URL" \
        "CONSOLE_URL=$CONSOLE_URL" "$@"
}

# The people of the demo data who sign in with the console, each with the same password. Sets CONSOLE_PASSWORD.
stack_console_accounts() {
    local login name
    secret console-password
    CONSOLE_PASSWORD=$SECRET
    while read -r login name; do
        DATABASE_URL=$OWNER_DATABASE_URL stack_atlas accounts set --user "$name" --login "$login" \
            --password-file "$STATE/secrets/console-password" >/dev/null || die "$name got no login."
    done <<<'nadia Nadia Brandt
omar Omar Reyes
clara Clara Dubois'
    passed "people sign in at $CONSOLE_URL as nadia, omar or clara"
}

# A workspace with tenants, people and connections, registered at the sandbox. What was made, and a token for each
# person, stands in $STATE/demo-data.json. Safe to repeat: what is there stays, tokens are new.
stack_demo_data() {
    (umask 077 && : >"$STATE/demo-data.json")
    DATABASE_URL=$OWNER_DATABASE_URL stack_atlas demo-data --sandbox "$GRAPH_SANDBOX_URL" --json \
        >"$STATE/demo-data.json" 2>"$STATE/logs/demo-data.log" || {
        show_end "$STATE/logs/demo-data.log"
        die "The demo data could not be loaded."
    }
    passed "demo data loaded"
}
