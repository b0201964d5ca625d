# shellcheck shell=bash
# Starting and ending the processes of a stack, by process id and never by name.
# $STATE/processes holds one line each: name, process id, the kernel's start time of it, the signal that ends it
# gracefully, the signal that ends it in any case. A number alone is not enough: the kernel gives it again.

# How long a process has to end after its signal, and how long a service has until it is ready.
PROCESS_STOP_SECONDS=12
SERVICE_READY_SECONDS=60

# process_start NAME SIGNAL LAST_SIGNAL [VARIABLE=VALUE …] -- COMMAND …
# Starts COMMAND in a session of its own (a Ctrl-C ends the script, which then ends its processes in order), with its
# output in $STATE/logs/NAME.log; as the user PROCESS_USER and in the network namespace PROCESS_NAMESPACE when those are
# set. Secrets travel in the environment: arguments can be seen by every user.
process_start() {
    local name=$1 signal=$2 last_signal=$3
    shift 3
    ! process_is_running "$name" || die "$name is running already."
    local privileges=(--pdeathsig "$signal") namespace=()
    ((!STATE_OUTLIVES_SCRIPT)) || privileges=(--pdeathsig keep)
    [[ -z "${PROCESS_USER:-}" ]] || privileges+=(--reuid "$PROCESS_USER" --regid "$PROCESS_USER" --init-groups)
    [[ -z "${PROCESS_NAMESPACE:-}" ]] || namespace=(ip netns exec "$PROCESS_NAMESPACE")
    (
        while [[ "$1" != -- ]]; do
            export "${1?}"
            shift
        done
        shift
        umask 077
        # The shell makes its background processes ignore INT, which some of ours are ended with.
        exec env --default-signal=INT,QUIT setsid "${namespace[@]}" setpriv "${privileges[@]}" "$@"
        # Without the lock of the private folder (descriptor 9), which is the script's.
    ) </dev/null >>"$STATE/logs/$name.log" 2>&1 9>&- &
    PROCESS_PID=$!
    # The shell would report how it ended; whoever wants to `wait` for it sets PROCESS_WAITED.
    [[ -n "${PROCESS_WAITED:-}" ]] || disown "$PROCESS_PID"
    printf '%s %s %s %s %s\n' "$name" "$PROCESS_PID" "$(process_start_time "$PROCESS_PID")" "$signal" "$last_signal" \
        >>"$STATE/processes"
}

# The kernel's start time of a process id; empty when there is no such process any more.
process_start_time() {
    local line fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    # The name in parentheses may hold spaces; after it comes the state, and the start time is the 20th from there.
    read -ra fields <<<"${line##*) }"
    [[ "${fields[0]}" == Z ]] || printf '%s' "${fields[19]}"
}

# process_find NAME: sets PROCESS_PID, PROCESS_START, PROCESS_SIGNAL and PROCESS_LAST_SIGNAL of its last start.
process_find() {
    local name pid start signal last_signal
    PROCESS_PID=
    [[ -f "$STATE/processes" ]] || return 1
    while read -r name pid start signal last_signal; do
        if [[ "$name" == "$1" ]]; then
            PROCESS_PID=$pid PROCESS_START=$start PROCESS_SIGNAL=$signal PROCESS_LAST_SIGNAL=$last_signal
        fi
    done <"$STATE/processes"
    [[ -n "$PROCESS_PID" ]]
}

# Whether the process of that name lives. Sets PROCESS_PID.
process_is_running() {
    process_find "$1" && [[ -n "$PROCESS_START" && "$(process_start_time "$PROCESS_PID")" == "$PROCESS_START" ]]
}

# process_kill NAME SIGNAL: sends it, if the process lives, to it and to the children that it did not detach.
process_kill() {
    ! process_is_running "$1" || kill -s "$2" -- "-$PROCESS_PID" 2>/dev/null || true
}

# process_stop NAME …: asks all of them to end, waits, and ends for good those that did not in time.
process_stop() {
    local name
    for name in "$@"; do
        if process_find "$name"; then process_kill "$name" "$PROCESS_SIGNAL"; fi
    done
    for name in "$@"; do
        process_wait_end "$name" "$PROCESS_STOP_SECONDS" && continue
        note "$name did not end within $PROCESS_STOP_SECONDS s of SIG$PROCESS_SIGNAL; SIG$PROCESS_LAST_SIGNAL"
        process_kill "$name" "$PROCESS_LAST_SIGNAL"
        process_wait_end "$name" 5 || process_kill "$name" KILL
        process_wait_end "$name" 5 || note "process $PROCESS_PID of $name can't be ended"
    done
}

# process_wait_end NAME SECONDS: waits until it has ended; fails when it has not in that time.
process_wait_end() {
    wait_until "$2" process_has_ended "$1"
}

process_has_ended() { ! process_is_running "$1"; }

# The names of all that were started, each once, in order.
process_names() {
    [[ -f "$STATE/processes" ]] || return 0
    awk '!seen[$1]++ { print $1 }' "$STATE/processes"
}

# Ends the services, all at once, then the servers that they use; RabbitMQ's name servers last, since a node that misses
# its own starts another one, which would stay.
processes_stop_all() {
    local services=() servers=() name_servers=() name
    for name in $(process_names); do
        case $name in
            epmd*) name_servers+=("$name") ;;
            postgres* | rabbitmq*) servers+=("$name") ;;
            *) services+=("$name") ;;
        esac
    done
    process_stop "${services[@]}"
    process_stop "${servers[@]}"
    process_stop "${name_servers[@]}"
    rm -f "$STATE/processes"
}

# process_wait_ready NAME SECONDS COMMAND …: waits until COMMAND succeeds; ends the script, with the end of the process's
# log, when the process ends or the time is over before.
process_wait_ready() {
    local name=$1 seconds=$2 has_ended='' why
    shift 2
    why="was not ready within $seconds s"
    if wait_until "$seconds" process_answers_or_ended "$name" "$@"; then
        [[ -n "$has_ended" ]] || return 0
        why="ended before it was ready"
    fi
    show_end "$STATE/logs/$name.log"
    die "$name $why."
}

# Notes in has_ended which of the two it was.
process_answers_or_ended() { "${@:2}" || { process_has_ended "$1" && has_ended=1; }; }

# service_start NAME EXECUTABLE [VARIABLE=VALUE …]: starts a service of ours on a free port and waits until it is ready.
# Sets SERVICE_URL. NAME is this instance's (there may be several of one executable). With SERVICE_PORT on that port.
service_start() {
    local name=$1 executable=$2
    shift 2
    if [[ -n "${SERVICE_PORT:-}" ]]; then PORT=$SERVICE_PORT; else free_port; fi
    SERVICE_URL=http://127.0.0.1:$PORT
    process_start "$name" TERM KILL "HTTP_HOST=127.0.0.1" "HTTP_PORT=$PORT" "$@" -- "$BIN/$executable"
    process_wait_ready "$name" "$SERVICE_READY_SECONDS" curl -fs --max-time 2 -o /dev/null "$SERVICE_URL/readyz"
}
