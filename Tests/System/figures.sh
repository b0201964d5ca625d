#!/usr/bin/env bash
# The figures that people watch and scale by: each that the alert rules, the scaling examples and their description name
# is really shown by a service or by the broker, and tells the truth about queued work. And the rules are what Prometheus
# takes, and fire when they should.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
install_missing prometheus
# shellcheck disable=SC2034 # read by rabbitmq_configure
RABBITMQ_SHOWS_FIGURES=1
stack_servers
stack_database
stack_keys
stack_sandbox
stack_starter RATE_LIMIT_PER_SECOND=0
SERVICES=$SERVICE_URL
stack_notifier
SERVICES+=" $SERVICE_URL"
stack_demo_data
# The consumer comes later: the test starts it when work is queued.
export SERVICES BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL RABBITMQ_FIGURES_URL
export CREDENTIAL_PRIVATE_KEY_FILE DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
python3 "$ROOT/Tests/System/lib/figures.py" "$ROOT/compose"
