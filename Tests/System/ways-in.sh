#!/usr/bin/env bash
# Other systems start operations by HTTP and by messages: the examples as they stand, every answer that a message can get,
# and the trace of a request found on the run and on the calls to the provider.
# Everything that was sent is compared with its schema by a validator that is not ours.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
install_missing python3-pika python3-jsonschema amqp-tools
stack_servers
stack_database
stack_keys
stack_sandbox
# With a family that has no consumer: its runs stay queued.
stack_starter RATE_LIMIT_PER_SECOND=0 FAMILIES=provider,inventory REMINDER_SECONDS=3600
stack_notifier
stack_demo_data
stack_consumer consumer
export OWNER_DATABASE_URL POSTGRES_BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN
export SPECS=$ROOT/specs EXAMPLES=$ROOT/specs/examples DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
# Debian's own: the package brings the client library to no other.
/usr/bin/python3 "$ROOT/Tests/System/lib/ways_in.py" "$@"
