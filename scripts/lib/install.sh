# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # what is set here is read by the files that use it, and the other way round
# Installs what a script needs and the machine has not, from Debian's or Ubuntu's packages; and says which Swift is
# needed. What is there already is left as it is, wherever it came from.

# The C client with Debian's security fixes; older ones are refused.
INSTALL_LIBRABBITMQ_FLOOR='0.11.0-1+deb12u3'

INSTALL_TO_BUILD=(pkg-config librabbitmq-dev libpq-dev libcurl4-openssl-dev)
INSTALL_TO_RUN=(rabbitmq-server postgresql openssl curl jq)
INSTALL_TO_TEST=(python3 python3-venv git shellcheck)

# install_missing PACKAGE …
install_missing() {
    local package missing=()
    for package in "$@"; do
        install_has "$package" || missing+=("$package")
    done
    if ((${#missing[@]} > 0)); then
        step "installing ${missing[*]}"
        install_packages "${missing[@]}"
        for package in "${missing[@]}"; do
            install_has "$package" || die "The package $package was installed, but what it brings was not found."
        done
    fi
    install_check_librabbitmq
}

# install_has PACKAGE: whether what we need of it is there, be it from that package or from elsewhere.
install_has() {
    case $1 in
        librabbitmq-dev) pkg-config --exists librabbitmq ;;
        libpq-dev) pkg-config --exists libpq ;;
        libcurl4-openssl-dev) pkg-config --exists libcurl ;;
        rabbitmq-server) [[ -x "$RABBITMQ_PROGRAMS/rabbitmq-server" ]] ;;
        postgresql) postgres_programs >/dev/null ;;
        prometheus) command -v promtool >/dev/null ;;
        iproute2) command -v ip >/dev/null ;;
        libc6-dev) [[ -f /usr/include/stdio.h ]] ;;
        python3-venv) python3 -c 'import ensurepip, venv' ;;
        amqp-tools) command -v amqp-publish >/dev/null ;;
        docker.io) docker_answers || { command -v docker && command -v dockerd; } >/dev/null ;;
        docker-compose) docker compose version >/dev/null || command -v docker-compose >/dev/null ;;
        python3-pika) /usr/bin/python3 -c 'import pika' ;;
        python3-jsonschema) /usr/bin/python3 -c 'import jsonschema; jsonschema.Draft202012Validator' ;;
        python3-requests) /usr/bin/python3 -c 'import requests' ;;
        fonts-noto-core) [[ -d /usr/share/fonts/truetype/noto ]] ;;
        python3-psycopg2) /usr/bin/python3 -c 'import psycopg2' ;;
        *) command -v "$1" >/dev/null ;;
    esac 2>/dev/null
}

install_packages() {
    command -v apt-get >/dev/null ||
        die "Please install what these packages of Debian bring, then run this again: $*"
    local root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "Please run as root: apt-get install $*"
        root=(sudo)
    fi
    local log
    log=$(mktemp)
    if ! install_quietly "$@" >"$log" 2>&1; then
        show_end "$log"
        rm -f "$log"
        die "These packages could not be installed: $*"
    fi
    rm -f "$log"
}

# The packages of PostgreSQL and RabbitMQ start servers on the default ports. We need only their programs, so for the
# time of our installation the machine's policy is to start and stop no service.
install_quietly() (
    policy=/usr/sbin/policy-rc.d
    apt_get=("${root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y -o DPkg::Lock::Timeout=300)
    if [[ ! -e "$policy" ]]; then
        trap '"${root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
    fi
    # First the lists: a machine that was set up a while ago knows only versions without the latest fixes.
    "${apt_get[@]}" update </dev/null || true
    "${apt_get[@]}" install --no-install-recommends "$@" </dev/null
)

install_check_librabbitmq() {
    local version
    command -v dpkg-query >/dev/null || return 0
    # shellcheck disable=SC2016 # expanded by dpkg-query
    version=$(dpkg-query -W -f '${Version}' librabbitmq4 2>/dev/null) && [[ -n "$version" ]] || return 0
    dpkg --compare-versions "$version" ge "$INSTALL_LIBRABBITMQ_FLOOR" || die \
        "librabbitmq $version lacks security fixes: $INSTALL_LIBRABBITMQ_FLOOR or later is needed." \
        "Try: apt-get update && apt-get install librabbitmq-dev"
}

# Whether a Swift is there that can build the package: at least the tools version that it declares.
install_check_swift() {
    local needed found
    needed=$(sed -n '1s/.*swift-tools-version: *//p' "$ROOT/Package.swift")
    command -v swift >/dev/null ||
        die "Swift $needed or later is needed, and there is no 'swift' here. Get it from https://www.swift.org/install."
    found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p')
    [[ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" == "$needed" ]] ||
        die "Swift $needed or later is needed, and this is $found. Get it from https://www.swift.org/install."
}
