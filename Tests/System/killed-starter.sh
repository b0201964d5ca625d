#!/usr/bin/env bash
# A starter that is killed at any moment, also between commit and publish, loses no run and doubles none: each answered start
# is executed once, each run has its job, and no job is of a run that there is not.
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
stack_demo_data
stack_consumer consumer
export OWNER_DATABASE_URL POSTGRES_BIN AMQP_URL BIN DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
# Debian's own: the package brings the client library to no other.
/usr/bin/python3 "$ROOT/Tests/System/lib/killed_starter.py" "$@"
