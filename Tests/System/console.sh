#!/usr/bin/env bash
# The console in a real browser: what operators do with it all day, the same without JavaScript, what a tenant's people
# could write into names, accessibility in both themes, and that no page asks a provider for anything.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

# What drives Debian's browser, and what looks at accessibility, from Python's package index.
install_browser_tools() {
    TOOLS=$STATE/browser-tools
    if ! python3 -m venv "$TOOLS" >"$STATE/logs/browser-tools.log" 2>&1 ||
        ! "$TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check 'playwright>=1.50,<2' \
            'axe-core-python<1' >>"$STATE/logs/browser-tools.log" 2>&1; then
        show_end "$STATE/logs/browser-tools.log"
        die "The browser's tools could not be installed: this test needs Python's package index (pip)."
    fi
    passed "browser tools installed"
}

state_temporary
install_missing python3 python3-venv chromium fonts-noto-core
install_browser_tools
stack_servers
stack_database
stack_keys
stack_sandbox
stack_starter
stack_notifier
stack_demo_data
stack_console
stack_console_accounts
stack_inventory inventory-consumer
# The provider consumer is started and stopped by the test.
CONSUMER_DATABASE_URL=$CONSUMERS_DATABASE_URL
export BIN OWNER_DATABASE_URL POSTGRES_BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN
export CREDENTIAL_PRIVATE_KEY_FILE CONSUMER_DATABASE_URL CONSOLE_URL CONSOLE_PASSWORD
export DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
# With a folder as its argument it leaves pictures of the pages there.
"$TOOLS/bin/python" "$ROOT/Tests/System/lib/console.py" "$@"
