#!/usr/bin/env bash
# Secrets stay where they are: credentials that the provider repeats in many encodings, in every kind of failure, are
# looked for in everything that is kept or told. A leak that is planted is found.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
LOG_LEVEL=debug
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
install_missing python3-pika
stack_servers
stack_database
stack_keys
stack_sandbox
stack_starter RATE_LIMIT_PER_SECOND=0
SERVICES="$SERVICE_URL"
free_port
SMTP_PORT=$PORT
stack_notifier "SMTP_URL=smtp://127.0.0.1:$SMTP_PORT?tls=none" SMTP_FROM=atlas@northwind.example
SERVICES+=" $SERVICE_URL"
stack_demo_data
stack_consumer consumer CALL_SECONDS=5
SERVICES+=" $SERVICE_URL"
stack_inventory inventory CALL_SECONDS=5
SERVICES+=" $SERVICE_URL"
export OWNER_DATABASE_URL POSTGRES_BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN SERVICES BIN SMTP_PORT
export DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
# Debian's own: the package brings the client library to no other.
/usr/bin/python3 "$ROOT/Tests/System/lib/canary.py" "$@"
