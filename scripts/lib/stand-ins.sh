# shellcheck shell=bash
# Images under the official names that the compose file uses, for machines that can pull none: made of Debian's packages
# and of the Swift that is installed here. They keep to the official images' conventions as far as the compose file uses
# them; a label tells them from the real ones.

STAND_IN_LABEL=com.tenantatlas.stand-in
STAND_IN_RELEASE=bookworm
# What servers are made of, where the package source has it: its RabbitMQ and PostgreSQL are nearer to those that the compose
# file names. Our programs and their build stay with the release that they are tested on.
STAND_IN_SERVERS_RELEASE=trixie
STAND_IN_FILES=$ROOT/Tests/Compose/stand-ins

# Parts of a Swift toolchain that compile nothing here: debuggers, editors' servers, other platforms.
STAND_IN_NOT_OF_SWIFT=('usr/bin/lldb*' usr/bin/sourcekit-lsp usr/bin/clangd usr/bin/docc usr/bin/swift-format usr/bin/wasmkit
    'usr/lib/liblldb*' 'usr/lib/libsourcekitd*' 'usr/lib/libLTO*' 'usr/lib/libSwiftSourceKit*' usr/lib/swift/embedded
    usr/lib/swift_static/embedded usr/lib/swift/FrameworkABIBaseline usr/share)

# stand_in_is IMAGE: whether it is one of ours.
stand_in_is() {
    [[ -n "$(docker image inspect --format "{{index .Config.Labels \"$STAND_IN_LABEL\"}}" "$1")" ]]
}

# stand_in_sources RELEASE: lines for sources.list, from the suites of this machine's package sources.
stand_in_sources() {
    local found
    # shellcheck disable=SC2016 # filled in by apt-get
    found=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 2>/dev/null | sort -u |
        awk -v release="$STAND_IN_RELEASE" -v wanted="$1" \
            '$2 ~ "^" release { sub(release, wanted, $2); print "deb", $1, $2, "main" }')
    [[ -n "$found" ]] || die "No package source of this machine has Debian $STAND_IN_RELEASE: add one, or run «apt-get update»."
    printf '%s\n' "$found"
}

# stand_in_mirror RELEASE
stand_in_mirror() { stand_in_sources "$1" | awk -v release="$1" '$3 == release { print $2; exit }'; }

# The release that servers are made of.
stand_in_servers_release() {
    local release=$STAND_IN_SERVERS_RELEASE
    curl -fsI --max-time 20 -o /dev/null "$(stand_in_mirror "$release")/dists/$release/Release" || release=$STAND_IN_RELEASE
    printf '%s\n' "$release"
}

# stand_in_debian IMAGE RELEASE
stand_in_debian() {
    step "a stand-in for $1"
    local folder=$STATE/stand-in
    debootstrap --variant=minbase "$2" "$folder" "$(stand_in_mirror "$2")" >"$STATE/logs/debootstrap.log" 2>&1 || {
        show_end "$STATE/logs/debootstrap.log"
        die "No Debian could be made."
    }
    stand_in_sources "$2" >"$folder/etc/apt/sources.list"
    apt-config dump | grep '^Acquire::Check' >"$folder/etc/apt/apt.conf.d/99-as-here" || true
    # As the real image has it: nothing of the package manager's own stays in a layer.
    printf '%s\n' 'Dir::Cache::pkgcache "";' 'Dir::Cache::srcpkgcache "";' \
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >"$folder/etc/apt/apt.conf.d/docker-clean"
    printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
    chmod 755 "$folder/usr/sbin/policy-rc.d"
    # What the real "slim" image leaves out, too.
    tar -C "$folder" -c --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' . |
        docker import --change "LABEL $STAND_IN_LABEL=debian" --change 'CMD ["bash"]' - "$1" >/dev/null
    rm -rf "$folder"
}

# stand_in_swift IMAGE DEBIAN: the toolchain of this machine over the packages that the official image brings, and what
# this machine's git reads the dependencies from.
stand_in_swift() {
    step "a stand-in for $1 (some GB, a minute or more)"
    local toolchain name excluded=() copies=()
    toolchain=$(readlink -f "$(command -v swift)")
    toolchain=${toolchain%/usr/bin/*}
    for name in "${STAND_IN_NOT_OF_SWIFT[@]}"; do excluded+=(--exclude="$name"); done
    mkdir -p "$STATE/stand-in/etc"
    # «url.FOLDER.insteadOf https://…»: the folder has to be in the image as well.
    git config --get-regexp '^url\..*\.insteadof$' | while read -r name value; do
        git config --file "$STATE/stand-in/etc/gitconfig" --add "$name" "$value"
    done || true
    while read -r name; do
        [[ ! -d "$name" ]] || copies+=("${name#/}")
    done < <(git config --get-regexp '^url\..*\.insteadof$' | sed 's/^url\.//; s/\.insteadof .*//' | sort -u)
    git config --file "$STATE/stand-in/etc/gitconfig" --add safe.directory '*'
    docker build -q -t "$1-base" - >/dev/null <<-DOCKERFILE
	FROM $2
	RUN apt-get update && apt-get install -y --no-install-recommends binutils ca-certificates git g++ gcc libc6-dev \
	    libcurl4-openssl-dev libedit2 libncurses-dev libpython3.11 libsqlite3-0 libstdc++-12-dev libxml2-dev libz3-dev \
	    pkg-config tzdata zlib1g-dev && rm -rf /var/lib/apt/lists/*
	DOCKERFILE
    local container
    container=$(docker create "$1-base" true)
    tar -C "$toolchain" -c "${excluded[@]}" usr | docker cp -q - "$container:/"
    tar -C "$STATE/stand-in" -c etc/gitconfig | docker cp -q - "$container:/"
    ((${#copies[@]} == 0)) || tar -C / -c "${copies[@]}" | docker cp -q - "$container:/"
    docker commit --change "LABEL $STAND_IN_LABEL=swift" --change 'CMD ["bash"]' "$container" "$1" >/dev/null
    docker rm "$container" >/dev/null
    docker image rm "$1-base" >/dev/null
    rm -rf "$STATE/stand-in"
}

# stand_in_server rabbitmq|postgres|prometheus IMAGE
stand_in_server() {
    local release debian
    release=$(stand_in_servers_release)
    debian=debian:$release-slim
    docker_has "$debian" || stand_in_debian "$debian" "$release"
    step "a stand-in for $2, of Debian $release"
    docker build -q -t "$2" --build-arg "DEBIAN=$debian" --label "$STAND_IN_LABEL=$1" "$STAND_IN_FILES/$1" \
        >"$STATE/logs/stand-in-$1.log" 2>&1 || {
        show_end "$STATE/logs/stand-in-$1.log"
        die "The stand-in for $2 could not be made."
    }
}
