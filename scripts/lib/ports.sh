# shellcheck shell=bash
# Free ports on the loopback interface.

# Below the range from which the kernel gives clients their ports, so that none of those takes one of ours between
# the look and the use.
PORTS_FIRST=20000
PORTS_COUNT=12000
declare -A PORTS_GIVEN=()

# Sets PORT to a port on which nobody listens, and which this script was not given before.
free_port() {
    local attempt
    for ((attempt = 0; attempt < 200; attempt++)); do
        PORT=$((PORTS_FIRST + (RANDOM * 32768 + RANDOM) % PORTS_COUNT))
        [[ -z "${PORTS_GIVEN[$PORT]:-}" ]] || continue
        port_answers "$PORT" && continue
        PORTS_GIVEN[$PORT]=1
        return 0
    done
    die "No free port between $PORTS_FIRST and $((PORTS_FIRST + PORTS_COUNT)) on 127.0.0.1."
}

# port_answers PORT: whether somebody accepts connections there.
port_answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
