# shellcheck shell=bash
# What a script tells the person: one line a step, with the seconds since the script started.
# Colours only on a terminal, and not where NO_COLOR asks for none.

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
    OUTPUT_GREEN=$'\e[32m' OUTPUT_RED=$'\e[31m' OUTPUT_DIM=$'\e[2m' OUTPUT_BOLD=$'\e[1m' OUTPUT_PLAIN=$'\e[0m'
else
    OUTPUT_GREEN='' OUTPUT_RED='' OUTPUT_DIM='' OUTPUT_BOLD='' OUTPUT_PLAIN=''
fi

# Milliseconds on the wall clock. The shell's own clock has no other; it is used for display and deadlines of seconds.
now_ms() {
    local micros=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((micros / 1000))"
}

OUTPUT_START_MS=$(now_ms)

# seconds MILLISECONDS: the same with one digit, as in "12.3".
seconds() {
    printf '%d.%d' "$(($1 / 1000))" "$(($1 % 1000 / 100))"
}

output_line() {
    local colour=$1 mark=$2
    shift 2
    printf '%s%7s s%s %s%s%s %s\n' "$OUTPUT_DIM" "$(seconds "$(($(now_ms) - OUTPUT_START_MS))")" \
        "$OUTPUT_PLAIN" "$colour" "$mark" "$OUTPUT_PLAIN" "$*"
}

# A step begins.
step() { output_line "$OUTPUT_BOLD" '▸' "$@"; }

# What was expected came out.
passed() { output_line "$OUTPUT_GREEN" '✔' "$@"; }

# What was expected did not come out; the script goes on.
failed() { output_line "$OUTPUT_RED" '✘' "$@"; }

# Something to know.
note() { output_line '' ' ' "$@"; }

# Ends the script: what is wrong, and what to do about it.
die() {
    output_line "$OUTPUT_RED" '✘' "$@" >&2
    exit 1
}

# wait_until SECONDS COMMAND …: repeats the command until it succeeds; fails when it has not in that time.
wait_until() {
    local deadline=$(($(now_ms) + $1 * 1000)) looks=0
    shift
    until "$@"; do
        (($(now_ms) < deadline)) || return 1
        # What takes longer than two seconds may be a test that measures: then look seldom.
        if ((++looks <= 40)); then sleep 0.05; else sleep 0.5; fi
    done
}

# eventually WHAT SECONDS COMMAND …: the same, and ends the script where it fails.
eventually() { wait_until "${@:2}" || die "Not within $2 s: $1."; }

# show_end FILE [LINES]: the end of a log, indented, on the error output.
show_end() {
    [[ -s "$1" ]] || return 0
    printf '          the end of %s:\n' "$(basename "$1")" >&2
    tail -n "${2:-25}" "$1" | cut -c 1-400 | sed 's/^/          | /' >&2
}
