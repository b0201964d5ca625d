# shellcheck shell=bash
# shellcheck disable=SC2153 # DEMO, SANDBOX_CONTROL_TOKEN and GRAPH_SANDBOX_URL are set by who starts the stack
# Doing something as one of the demo's people, and telling what was expected and what happened.

TELLING_PASSED=0
TELLING_FAILED=0

token_of() { jq -r --arg name "$1" '.users[] | select(.name == $name) | .token' "$DEMO"; }
entra_of() { jq -r --arg name "$1" '.tenants[] | select(.name == $name) | .entra_tenant_id' "$DEMO"; }

# as PERSON COMMAND …: atlas, as that person. A refusal is an answer: the exit code is looked at where it matters.
as() {
    local person=$1
    shift
    ATLAS_TOKEN=$(token_of "$person") stack_atlas "$@"
}

# start PERSON OPERATION TENANT [FLAG …]: prints the run's id.
start() {
    local person=$1 operation=$2 tenant=$3
    shift 3
    as "$person" start "$operation" --tenant "$tenant" --json "$@" | jq -r .run_id
}

# The run as JSON, seen by the owner.
run() { as 'Nadia Brandt' runs show "$1" --json; }

# ended RUN: waits until it has an outcome; prints the run.
ended() { as 'Nadia Brandt' runs watch "$1" --timeout 90s --json || true; }

# sandbox METHOD PATH [BODY]: the sandbox's control surface.
sandbox() {
    curl -sS --fail-with-body -X "$1" -H "Authorization: Bearer $SANDBOX_CONTROL_TOKEN" -H 'Content-Type: application/json' \
        "$GRAPH_SANDBOX_URL/_sandbox$2" ${3:+-d "$3"}
}

# The number of the journal's newest entry; what the journal says about a tenant since then.
journal_end() { sandbox GET '/journal?limit=0' | jq .last; }
journal() { sandbox GET "/journal?since=$2&limit=100000&tenant=$(entra_of "$1")"; }

# The clock of the sandbox's journal, in nanoseconds.
monotonic_ns() { python3 -c 'import time; print(time.monotonic_ns())'; }

chapter() { printf '\n%s%s%s\n' "$OUTPUT_BOLD" "$*" "$OUTPUT_PLAIN"; }

# expect WHAT EXPECTED HAPPENED
expect() {
    if [[ "$3" == "$2" ]]; then
        passed "$1: $3"
        TELLING_PASSED=$((TELLING_PASSED + 1))
    else
        failed "$1: expected «$2», and it was «$3»"
        TELLING_FAILED=$((TELLING_FAILED + 1))
    fi
}

# story RUN: what a person sees of it.
story() { as 'Nadia Brandt' runs show "$1" | sed 's/^/          | /'; }
