#!/usr/bin/env bash
# The key that credentials are sealed to changes twice, while runs go on over 40 connections on three consumers: no run
# fails, also when the old keys are taken away after the sweep, and at the end everything is sealed to the newest key.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
stack_servers
stack_database
stack_keys
stack_sandbox
stack_demo_data
export BIN OWNER_DATABASE_URL POSTGRES_BIN AMQP_URL
export GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN SECRETS=$STATE/secrets DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
export FIRST_KEY=$CREDENTIAL_PRIVATE_KEY_FILE FIRST_PUBLIC_KEY=$CREDENTIAL_PUBLIC_KEY_FILE
python3 "$ROOT/Tests/System/lib/key_rotation.py" "$@"
