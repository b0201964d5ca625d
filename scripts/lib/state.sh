# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# The one private folder of a stack: data, logs, keys, and the list of the processes that were started for it.

# 1 when the processes outlive the script (scripts/up). Otherwise the kernel ends them even when the script is killed
# in a way that leaves it no time to do so.
STATE_OUTLIVES_SCRIPT=0

# state_open FOLDER: makes FOLDER the private folder, with what is there kept.
state_open() {
    STATE=$1
    # PostgreSQL runs as another user when we are root, and has to pass through.
    local mode=700
    ((EUID != 0)) || mode=711
    install -d -m "$mode" "$STATE"
    install -d -m 700 "$STATE/logs" "$STATE/secrets"
}

# Only one script at a time may start or end the processes of a private folder.
state_lock() {
    exec 9>"$STATE/lock"
    flock -n 9 || die "Another scripts/up or scripts/down is at work on this stack."
}

# A private folder for the time of this script: removed, with every process in it, when the script ends, also by Ctrl-C
# and by failure. A script that has something to say at its end defines
# `at_exit`.
state_temporary() {
    state_open "$(mktemp -d "${TMPDIR:-/tmp}/tenantatlas.XXXXXX")"
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    trap state_end EXIT
}

state_end() {
    local code=$?
    # A second Ctrl-C must not leave half of it behind.
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    processes_stop_all
    state_remove
    if declare -F at_exit >/dev/null; then at_exit; fi
    exit "$code"
}

# Removes the private folder. Its processes must have ended.
state_remove() {
    postgres_remove
    rm -rf -- "${STATE:?}"
}

# secret NAME: sets SECRET to the random secret of that name: made at its first use, then kept in the private folder.
secret() {
    local file=$STATE/secrets/$1
    if [[ ! -s "$file" ]]; then
        (umask 077 && openssl rand -hex 24 >"$file")
    fi
    SECRET=$(<"$file")
}
