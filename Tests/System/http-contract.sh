#!/usr/bin/env bash
# The HTTP API is what specs/openapi.json says: each route is in it and nothing else, and schemathesis, which knows
# nothing of us, sends each operation good and bad requests and compares every answer. The two descriptions themselves
# are looked at by validators that are not ours.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

# Independent tools from Python's package index, in a folder that goes with the rest.
install_validators() {
    VALIDATORS=$STATE/validators
    if ! python3 -m venv "$VALIDATORS" >"$STATE/logs/validators.log" 2>&1 ||
        ! "$VALIDATORS/bin/python" -m pip install --quiet --disable-pip-version-check 'schemathesis>=4,<5' \
            'openapi-spec-validator<1' 'asyncapi-python[codegen]<1' 'jsonschema>=4,<5' 'PyYAML>=6,<7' \
            >>"$STATE/logs/validators.log" 2>&1; then
        show_end "$STATE/logs/validators.log"
        die "The validators could not be installed: this test needs Python's package index (pip)."
    fi
    passed "validators installed"
}

state_temporary
install_missing python3 python3-venv
install_validators
stack_servers
stack_database
stack_keys
stack_sandbox
# Hundreds of requests a second are the point here.
stack_starter RATE_LIMIT_PER_SECOND=0
stack_notifier
stack_demo_data
export BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN CREDENTIAL_PRIVATE_KEY_FILE
export ROOT VALIDATORS DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs REPORTS=$STATE/reports
"$VALIDATORS/bin/python" "$ROOT/Tests/System/lib/http_contract.py" "$@"
