# shellcheck shell=bash
# What the demo shows, a function each: what is done, what was expected, and what happened. The helpers are the demo's.

check_succeeds() {
    chapter "1. An operator checks a connection"
    local id answer
    id=$(start 'Priya Nair' provider.connection.check Fabrikam)
    answer=$(ended "$id")
    expect "the run ends" succeeded "$(jq -r .outcome <<<"$answer")"
    expect "it was recorded step by step" "run.queued run.began run.ended" "$(jq -r '[.timeline[].action] | join(" ")' <<<"$answer")"
    expect "the connection's health is" healthy \
        "$(as 'Nadia Brandt' connections list --tenant Fabrikam --json | jq -r '.provider_connections[0].health')"
    eventually "the notification" 10 told 'Priya Nair' "$id"
    passed "Priya finds in her inbox: $(as 'Priya Nair' notifications --json | jq -r '.notifications[0].title')"
    story "$id"
}

told() { as "$1" notifications --json | jq -e --arg run "$2" '[.notifications[] | select(.run_id == $run)] | length == 1' >/dev/null; }

removed_while_queued() {
    chapter "2. A check is queued, then its operator loses access, before it executes"
    consumer_stops
    local since id answer
    since=$(journal_end)
    id=$(start 'Omar Reyes' provider.connection.check 'Adventure Works')
    as 'Nadia Brandt' access revoke --user 'Omar Reyes' --workspace | sed 's/^/          | /'
    consumer_starts
    answer=$(ended "$id")
    expect "the run ends" blocked "$(jq -r .outcome <<<"$answer")"
    expect "because of" tenant_not_entitled "$(jq -r .reason.code <<<"$answer")"
    expect "it was never running" null "$(jq -r .started_at <<<"$answer")"
    expect "requests that Adventure Works received" 0 "$(journal 'Adventure Works' "$since" | jq '.entries | length')"
    as 'Nadia Brandt' explain "$id" | sed 's/^/          | /'
}

suspended_while_queued() {
    chapter "3. A tenant is suspended while work is queued: it waits, and goes on when the tenant is operable again"
    consumer_stops
    local waiting short answer
    waiting=$(start 'Priya Nair' provider.connection.check Litware)
    short=$(start 'Priya Nair' provider.connection.check 'Woodgrove Bank' --wait-limit 6s)
    as 'Marcus Lindqvist' access suspend --tenant Litware >/dev/null
    as 'Marcus Lindqvist' access suspend --tenant 'Woodgrove Bank' >/dev/null
    consumer_starts
    eventually "it waits" 20 waits_because "$waiting" tenant_suspended
    passed "it waits: $(run "$waiting" | jq -r .reason.sentence)"
    as 'Marcus Lindqvist' access resume --tenant Litware >/dev/null
    expect "after the tenant is operable again it ends" succeeded "$(ended "$waiting" | jq -r .outcome)"
    answer=$(ended "$short")
    expect "another, whose waiting time ran out, ends" blocked "$(jq -r .outcome <<<"$answer")"
    expect "because of" run_expired "$(jq -r .reason.code <<<"$answer")"
    as 'Marcus Lindqvist' access resume --tenant 'Woodgrove Bank' >/dev/null
}

waits_because() { run "$1" | jq -e --arg code "$2" '.state == "queued" and .reason.code == $code' >/dev/null; }

revoked_while_paging() {
    chapter "4. Access is taken away in the middle of a compliance snapshot over 20,000 devices"
    local fault since id barrier answered counts
    fault=$(sandbox POST /faults '{"kind":"slow","delayMs":300,"path":"/v1.0/deviceManagement/managedDevices"}' | jq -r .id)
    since=$(journal_end)
    id=$(start 'Jonas Weber' compliance.snapshot Contoso)
    eventually "some pages are read" 30 has_done "$id" 3000
    barrier=$(as 'Nadia Brandt' access revoke --user 'Jonas Weber' --workspace --json || true)
    answered=$(monotonic_ns)
    note "the answer: effective $(jq -r .effective_at <<<"$barrier"), settled $(jq -r .settled_at <<<"$barrier")"
    expect "calls in doubt" 0 "$(jq '.in_doubt | length' <<<"$barrier")"
    counts=$(ended "$id")
    sandbox DELETE "/faults/$fault"
    expect "the run ends" partially_succeeded "$(jq -r .outcome <<<"$counts")"
    expect "because of" tenant_not_entitled "$(jq -r .reason.code <<<"$counts")"
    expect "requests that Contoso received after the answer" 0 \
        "$(journal Contoso "$since" | jq --argjson at "$answered" '[.entries[] | select(.receivedNs > $at)] | length')"
    expect "read and untouched devices make up" 20000 "$(jq '.counts.applied + .counts.untouched' <<<"$counts")"
    note "read: $(jq .counts.applied <<<"$counts"), untouched: $(jq .counts.untouched <<<"$counts")"
}

has_done() { run "$1" | jq -e --argjson least "$2" '(.progress.done // 0) >= $least' >/dev/null; }

started_twice() {
    chapter "5. The same operation is started twice at once; then another one on the same connection"
    consumer_stops
    local first second other status=0
    start 'Priya Nair' provider.connection.check 'Tailspin Toys' >"$STATE/first" &
    local one=$!
    start 'Priya Nair' provider.connection.check 'Tailspin Toys' >"$STATE/second"
    wait "$one"
    first=$(cat "$STATE/first") second=$(cat "$STATE/second")
    expect "both answers name the run" "$first" "$second"
    other=$(as 'Priya Nair' start compliance.snapshot --tenant 'Tailspin Toys' --json 2>&1) || status=$?
    expect "the other operation is refused with exit code" 1 "$status"
    expect "and names the run that is active" "$first" "$(jq -r '.error.problem.active_run.run_id' <<<"$other")"
    consumer_starts
    expect "the one run ends" succeeded "$(ended "$first" | jq -r .outcome)"
}

killed_in_the_middle() {
    chapter "6. A consumer is killed (kill -9) in the middle of a snapshot over 20,000 devices"
    local fault id answer
    fault=$(sandbox POST /faults '{"kind":"slow","delayMs":150,"path":"/v1.0/deviceManagement/managedDevices"}' | jq -r .id)
    id=$(start 'Priya Nair' compliance.snapshot Contoso)
    eventually "some pages are read" 30 has_done "$id" 4000
    consumer_is_killed
    note "killed after $(run "$id" | jq .progress.done) devices"
    consumer_starts
    answer=$(ended "$id")
    sandbox DELETE "/faults/$fault"
    expect "the run is repaired and ends" succeeded "$(jq -r .outcome <<<"$answer")"
    expect "at attempt" 2 "$(jq .attempt <<<"$answer")"
    expect "devices" 20000 "$(jq .counts.total <<<"$answer")"
    expect "compliant devices, as many as the tenant has" \
        "$(sandbox GET "/tenants/$(entra_of Contoso)" | jq .complianceStates.compliant)" "$(jq .counts.compliant <<<"$answer")"
    eventually "the notification" 10 told 'Priya Nair' "$id"
    passed "Priya was told once"
    story "$id"
}

backed_up() {
    chapter "7. A tenant is backed up twice; nobody changed anything in between"
    local first second sets
    first=$(ended "$(start 'Priya Nair' backup.run Fabrikam)")
    expect "the first ends" succeeded "$(jq -r .outcome <<<"$first")"
    second=$(ended "$(start 'Priya Nair' backup.run Fabrikam)")
    expect "the second ends" succeeded "$(jq -r .outcome <<<"$second")"
    sets=$(as 'Priya Nair' backups list --tenant Fabrikam --json)
    expect "sets, both complete" "2 2" \
        "$(jq -r '[(.backups | length), ([.backups[] | select(.completed_at != null)] | length)] | join(" ")' <<<"$sets")"
    expect "different contents" 1 "$(jq '[.backups[].content_id] | unique | length' <<<"$sets")"
    as 'Priya Nair' backups list --tenant Fabrikam | sed 's/^/          | /'
}

restored() {
    chapter "8. Somebody deletes a policy and changes another; both come back from the backup, with their assignments"
    local backup gone changed other before after since selection preview answer restored ids
    backup=$(as 'Priya Nair' backups list --tenant Fabrikam --json | jq -r '.backups[0].backup_id')
    before=$(configurations Fabrikam)
    # Two that are assigned, and one that is to stay as somebody left it.
    read -r gone changed other < <(jq -r '[.[] | select((.assignments | length) > 0) | .id][:3] | join(" ")' <<<"$before")
    sandbox DELETE "$(configuration Fabrikam "$gone")" >/dev/null
    sandbox PATCH "$(configuration Fabrikam "$changed")" '{"displayName":"renamed by mistake","assignments":[]}' >/dev/null
    sandbox PATCH "$(configuration Fabrikam "$other")" '{"description":"changed on purpose"}' >/dev/null
    note "deleted: $(name_of "$gone" <<<"$before"); renamed and assigned to nobody: $(name_of "$changed" <<<"$before")"
    selection=(--item "$(item_of "$backup" "$gone")" --item "$(item_of "$backup" "$changed")")
    as 'Nadia Brandt' access write-gate open --tenant Fabrikam >/dev/null

    since=$(journal_end)
    preview=$(as 'Marcus Lindqvist' restore preview --backup "$backup" "${selection[@]}" --json)
    expect "the preview says" "create update" "$(jq -r '[.items[].result] | sort | join(" ")' <<<"$preview")"
    expect "and has written" 0 "$(journal Fabrikam "$since" | jq '[.entries[] | select(.change)] | length')"

    answer=$(as 'Marcus Lindqvist' restore execute --backup "$backup" "${selection[@]}" --json || true)
    expect "the restore ends" succeeded "$(jq -r .outcome <<<"$answer")"
    as 'Marcus Lindqvist' runs items "$(jq -r .run_id <<<"$answer")" | sed 's/^/          | /'
    after=$(configurations Fabrikam)
    restored=$(jq -r '[.items[].object_id] | sort | join(" ")' <<<"$answer")
    expect "objects written are the two, one of them with a new id" "$restored" \
        "$(journal Fabrikam "$since" | jq -r '[.entries[] | select(.change) | .objectId] | unique | join(" ")')"
    expect "names and assignments are those from before" "$(essence "$gone" "$changed" <<<"$before")" \
        "$(read -ra ids <<<"$restored" && essence "${ids[@]}" <<<"$after")"
    expect "what somebody changed on purpose is" "changed on purpose" \
        "$(jq -r --arg id "$other" '.[] | select(.id == $id) | .description' <<<"$after")"
}

# The tenant's device configurations, as the sandbox has them; the place of one.
configurations() { sandbox GET "/tenants/$(entra_of "$1")/entities/deviceConfigurations" | jq .value; }
configuration() { printf '/tenants/%s/entities/deviceConfigurations/%s' "$(entra_of "$1")" "$2"; }
name_of() { jq -r --arg id "$1" '.[] | select(.id == $id) | .displayName'; }

# essence ID …: of these configurations, name and number of assignments, and a digest of what they are assigned to.
essence() {
    local of
    of=$(jq -cS '[.[] | select(.id | IN($ARGS.positional[])) | {displayName, to: ([.assignments[].target] | sort)}] | sort' \
        --args "$@")
    printf '%s (%s)' "$(jq -r 'map("\(.displayName): \(.to | length)") | join(", ")' <<<"$of")" \
        "$(sha256sum <<<"$of" | cut -c1-8)"
}

# item_of BACKUP POLICY: the id of the policy's item of the backup.
item_of() {
    as 'Priya Nair' backups show "$1" --json | jq -r --arg id "$2" '.items[] | select(.policy_id == $id) | .item_id'
}

revoked_while_assigning() {
    chapter "9. Access is taken away half-way through a bulk assignment over 500 policies"
    local group what dry since id barrier answered answer written
    expect "an inventory sync of Contoso, which a bulk operation chooses from, ends" succeeded \
        "$(ended "$(start 'Priya Nair' inventory.sync Contoso)" | jq -r .outcome)"
    # Changes need a good and recent connection check.
    expect "and a connection check of it" succeeded \
        "$(ended "$(start 'Priya Nair' provider.connection.check Contoso)" | jq -r .outcome)"
    as 'Nadia Brandt' access write-gate open --tenant Contoso >/dev/null
    group=$(sandbox POST "/tenants/$(entra_of Contoso)/entities/groups" '{"displayName":"Ring 2"}' | jq .id)
    what='{"kind": "device_configuration", "filter": {"all": true}, "assignment": {"target": "group", "group_id": '$group'}}'
    dry=$(as 'Marcus Lindqvist' start policy.bulk_assign --tenant Contoso --parameters "$what" --dry-run --json)
    expect "policies that the dry run names" 500 "$(jq .eligible <<<"$dry")"

    since=$(journal_end)
    id=$(start 'Marcus Lindqvist' policy.bulk_assign Contoso --parameters "$what")
    eventually "half of it is done" 60 has_applied "$id" 200
    barrier=$(as 'Nadia Brandt' access revoke --user 'Marcus Lindqvist' --workspace --json || true)
    answered=$(monotonic_ns)
    note "the answer: effective $(jq -r .effective_at <<<"$barrier"), settled $(jq -r .settled_at <<<"$barrier")"
    answer=$(ended "$id")
    expect "the run ends" partially_succeeded "$(jq -r .outcome <<<"$answer")"
    expect "because of" tenant_not_entitled "$(jq -r .reason.code <<<"$answer")"
    expect "requests that Contoso received after the answer" 0 \
        "$(journal Contoso "$since" | jq --argjson at "$answered" '[.entries[] | select(.receivedNs > $at)] | length')"
    written=$(journal Contoso "$since" | jq '[.entries[] | select(.change == "assign") | .objectId] | unique | length')
    expect "assigned policies, as many as Contoso was told to" "$written" "$(jq .counts.applied <<<"$answer")"
    expect "applied, untouched, failed and in doubt make up" 500 \
        "$(jq '.counts | .applied + .untouched + .failed + .in_doubt' <<<"$answer")"
    story "$id"
}

has_applied() { run "$1" | jq -e --argjson least "$2" '(.items.applied // 0) >= $least' >/dev/null; }

scheduled() {
    chapter "10. A backup is scheduled under the system's authority: every minute, so that nobody has to wait until night"
    local schedule id
    schedule=$(as 'Nadia Brandt' schedules add backup.run --tenant Litware --cron '* * * * *' --as-system --json |
        jq -r .schedule_id)
    as 'Nadia Brandt' schedules list | sed 's/^/          | /'
    note "waiting for the next full minute"
    eventually "it is fired" 75 was_fired "$schedule"
    as 'Nadia Brandt' schedules pause "$schedule" >/dev/null
    id=$(as 'Nadia Brandt' schedules show "$schedule" --json | jq -r .last_run.run_id)
    expect "the run ends" succeeded "$(ended "$id" | jq -r .outcome)"
    expect "nobody started it" null "$(run "$id" | jq -r .initiator)"
    expect "backup sets of Litware" 1 "$(as 'Nadia Brandt' backups list --tenant Litware --json | jq '.backups | length')"
    story "$id"
}

was_fired() { as 'Nadia Brandt' schedules show "$1" --json | jq -e '.last_run.run_id != null' >/dev/null; }
