# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# Builds the programs.

# The programs that are measured.
BUILD_MEASURED=(Starter ProviderConsumer InventoryConsumer BulkConsumer Notifier Console GraphSandbox TestConsumer Benchmark atlas)

# build_programs debug|release: sets BIN to the folder of the programs.
build_programs() {
    step "building ($1; the first time takes minutes)"
    local log=$STATE/logs/build.log
    if ! "build_$1" </dev/null >"$log" 2>&1; then
        build_explain "$log"
        die "The build failed."
    fi
    BIN=$(cd "$ROOT" && swift build -c "$1" --show-bin-path)
}

build_debug() { (cd "$ROOT" && swift build); }

# What is optimised is not built for testing: the fixtures, which look into programs, can't be built with it.
build_release() {
    local program
    for program in "${BUILD_MEASURED[@]}"; do
        (cd "$ROOT" && swift build -c release --product "$program") || return
    done
}

# build_explain LOG: the first errors of a build that failed, or the log's end when no compiler said anything.
build_explain() {
    grep -E '^([^ ].*)?error: ' "$1" | awk '!seen[$0]++' | head -n 30 | cut -c 1-400 >&2 || show_end "$1"
}
