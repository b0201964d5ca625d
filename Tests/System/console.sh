#!/usr/bin/env bash
# The console in a real browser: what operators do with it all day, the same without JavaScript, what a tenant's people
# could write into names, accessibility in both themes, and that no page asks a provider for anything.
# shellcheck source-path=SCRIPTDIR disable=SC2119
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

# What drives Debian's browser, what looks at accessibility, and an identity provider, from Python's package index.
install_browser_tools() {
    TOOLS=$STATE/browser-tools
    if ! python3 -m venv "$TOOLS" >"$STATE/logs/browser-tools.log" 2>&1 ||
        ! "$TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check 'playwright>=1.50,<2' \
            'axe-core-python<1' 'oidc-provider-mock<1' >>"$STATE/logs/browser-tools.log" 2>&1; then
        show_end "$STATE/logs/browser-tools.log"
        die "The browser's tools could not be installed: this test needs Python's package index (pip)."
    fi
    passed "browser tools installed"
}

# An identity provider that knows two people; one of them is linked to a person of the demo data.
start_identity_provider() {
    free_port
    OIDC_ISSUER=http://127.0.0.1:$PORT
    process_start identity-provider TERM KILL -- "$TOOLS/bin/oidc-provider-mock" --port "$PORT" --require-nonce true \
        --user-claims '{"sub": "marcus-at-work", "name": "Marcus"}' --user-claims '{"sub": "unlinked", "name": "Una"}'
    process_wait_ready identity-provider "$SERVICE_READY_SECONDS" curl -fs --max-time 2 -o /dev/null \
        "$OIDC_ISSUER/.well-known/openid-configuration"
    DATABASE_URL=$OWNER_DATABASE_URL stack_atlas accounts link --user 'Marcus Lindqvist' --issuer "$OIDC_ISSUER" \
        --subject marcus-at-work >/dev/null
    passed "identity provider at $OIDC_ISSUER"
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
start_identity_provider
stack_console "OIDC_ISSUER=$OIDC_ISSUER" OIDC_CLIENT_ID=console OIDC_CLIENT_SECRET=not-looked-at
stack_console_accounts
stack_inventory inventory-consumer
stack_bulk bulk-consumer
# The provider consumer is started and stopped by the test.
export BIN OWNER_DATABASE_URL POSTGRES_BIN AMQP_URL STARTER_URL GRAPH_SANDBOX_URL SANDBOX_CONTROL_TOKEN
export CREDENTIAL_PRIVATE_KEY_FILE CONSOLE_URL CONSOLE_PASSWORD
export OIDC_ISSUER DEMO_DATA=$STATE/demo-data.json LOGS=$STATE/logs
# With a folder as its argument it leaves pictures of the pages there.
"$TOOLS/bin/python" "$ROOT/Tests/System/lib/console.py" "$@"
