#!/usr/bin/env bash
# A message grants nothing: some thousand garbled, forged and replayed messages from a foreign program change no run, open
# no call and stop no process, while people's runs go on among them; and what is refused lies in the dead letters.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
install_missing python3-pika
stack_servers
stack_database
stack_keys
stack_sandbox
# With a family that has no consumer: its runs stay queued.
stack_starter RATE_LIMIT_PER_SECOND=0 FAMILIES=provider,inventory REMINDER_SECONDS=3600
SERVICES="starter $SERVICE_URL"
stack_notifier
SERVICES+=$'\n'"notifier $SERVICE_URL"
stack_demo_data
# A call may take long: one run is kept under way by a slow provider.
stack_consumer consumer CALL_SECONDS=120
SERVICES+=$'\n'"consumer $SERVICE_URL"
PROCESSES=$STATE/processes
export SERVICES PROCESSES RABBITMQ_CTL POSTGRES_BIN OWNER_DATABASE_URL AMQP_URL STARTER_URL
export GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
# Debian's own: the package brings the client library to no other.
/usr/bin/python3 "$ROOT/Tests/System/lib/foreign_messages.py" "$@"
