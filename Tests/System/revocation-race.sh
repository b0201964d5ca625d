#!/usr/bin/env bash
# Once a revoke has answered 200, no provider call happens under that grant: shown under load, with consumers killed at
# random, against the sandbox's own journal. Then the same with the permit check removed (a consumer that only tests
# have): that run must find calls, or this test shows nothing.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
stack_servers
stack_database
stack_keys
stack_sandbox
stack_starter RATE_LIMIT_PER_SECOND=0
stack_demo_data
export BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN CREDENTIAL_PRIVATE_KEY_FILE
export DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
python3 "$ROOT/Tests/System/lib/revocation_race.py" "$@"
