# shellcheck shell=bash
# The benchmark's part about inventory syncs. Needs a stack with a starter, the sandbox with the large demo tenants, and
# ATLAS_TOKEN; writes its results to $RESULTS.

# Syncs of 20,000 and of 100,000 devices with all policies: the consumer's memory must not follow the tenant's size.
# Beside the time stands what the sandbox itself took to serve the pages, and what a plain script takes for the same.
measure_inventory() {
    step "Inventory syncs of 20,000 and 100,000 devices, and a plain script that does the same"
    install_missing python3-requests python3-psycopg2
    stack_inventory inventory LOG_LEVEL=warning
    process_is_running inventory
    local consumer=$PROCESS_PID
    inventory_of Contoso small "$consumer"
    inventory_of 'Wide World Importers' large "$consumer"
    # All rows are there now, and nothing has changed.
    inventory_of 'Wide World Importers' again "$consumer"
    process_stop inventory
    inventory_by_script
}

inventory_of() {
    local since
    since=$(sandbox_control 'journal?limit=0' | jq .last)
    stack_atlas start inventory.sync --tenant "$1" --watch --json >"$STATE/inventory.json"
    sandbox_control "journal?since=$since&limit=100000" |
        jq --slurpfile run "$STATE/inventory.json" --argjson peak "$(peak_mb "$3")" '
            def seconds: sub("\\.(?<f>[0-9]+)Z"; "Z") as $whole | ($whole | fromdate) + (capture("\\.(?<f>[0-9]+)Z").f | tonumber / 1000000);
            { outcome: $run[0].outcome, items: $run[0].counts.total, changed: $run[0].counts.changed,
              seconds: (($run[0].completed_at | seconds) - ($run[0].started_at | seconds) | . * 1000 | round / 1000),
              serving_seconds: ([.entries[] | .answeredNs - .receivedNs] | add / 1000000000 * 1000 | round / 1000),
              peak_mb: $peak }' >"$RESULTS/inventory-$2.json"
}

# A tenant of its own with as many devices, into a table of its own: twice, as above.
inventory_by_script() {
    local tenant=b0000000-0000-4000-8000-0000000000f1 client=b0000000-0000-4000-8000-0000000000f2
    secret peer
    sandbox_control tenants -d @- >/dev/null <<-JSON
		{"id": "$tenant", "devices": 100000, "app": {"clientId": "$client", "clientSecret": "$SECRET",
		 "roles": ["DeviceManagementManagedDevices.Read.All"]}}
	JSON
    local round
    for round in first again; do
        PEER_SECRET=$SECRET /usr/bin/python3 "$ROOT/Tests/Benchmark/limits/inventory.py" \
            "$GRAPH_SANDBOX_URL" "$tenant" "$client" "$OWNER_DATABASE_URL" >"$RESULTS/peer-$round.json"
    done
}

# sandbox_control PATH [ARGUMENT …]: one request to the sandbox's control surface.
sandbox_control() {
    local path=$1
    shift
    curl -fsS -H "Authorization: Bearer $SANDBOX_CONTROL_TOKEN" -H 'Content-Type: application/json' \
        "$GRAPH_SANDBOX_URL/_sandbox/$path" "$@"
}
