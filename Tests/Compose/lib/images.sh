# shellcheck shell=bash
# The images: the base ones, by their official names, and ours, built as the documentation says.

# How long looking for an official image may take, in seconds.
IMAGES_PULL_SECONDS=120
# A program's image without what it was built with; in MB.
IMAGES_MOST_MB=200

images_are_built() {
    chapter "The images"
    local swift debian image
    swift=$(sed -n 's/^ARG SWIFT_IMAGE=//p' "$COMPOSED/Dockerfile")
    debian=$(sed -n 's/^ARG DEBIAN_IMAGE=//p' "$COMPOSED/Dockerfile")
    image_is_there "$debian" stand_in_debian "$debian" "$STAND_IN_RELEASE"
    image_is_there "$swift" stand_in_swift "$swift" "$debian"
    image_is_there "$(image_of rabbitmq)" stand_in_server rabbitmq "$(image_of rabbitmq)"
    image_is_there "$(image_of postgres)" stand_in_server postgres "$(image_of postgres)"
    image_is_there "$(image_of prometheus)" stand_in_server prometheus "$(image_of prometheus)"
    note "RabbitMQ $(image_runs rabbitmq rabbitmqctl version), $(image_runs postgres postgres --version)"
    note "$(image_runs prometheus prometheus --version)"
    step "building our images (the first time takes a quarter of an hour or more)"
    local since=$SECONDS
    (cd "$COMPOSED" && "${COMPOSE[@]}" --profile demo build) >"$STATE/logs/images.log" 2>&1 || {
        grep -E 'error: ' "$STATE/logs/images.log" | head -n 20 >&2 || true
        show_end "$STATE/logs/images.log" 40
        die "The images could not be built."
    }
    note "built in $((SECONDS - since)) s"
    for image in $(images_of_ours); do
        expect "$image is small" yes "$(image_is_small "$image")"
    done
    local program
    for image in $(images_of_ours); do
        program=${image#tenantatlas/}
        expect "$program --version tells the commit" "commit $COMMIT" \
            "$(docker run --rm --network none "$image" --version | grep -o 'commit [0-9a-f]*')"
    done
}

# image_is_there IMAGE STAND_IN …: has it, pulls it, or makes what stands in for it.
image_is_there() {
    local image=$1
    shift
    docker_has "$image" || timeout "$IMAGES_PULL_SECONDS" docker pull -q "$image" >"$STATE/logs/pull.log" 2>&1 || "$@"
    if stand_in_is "$image"; then note "$image is a stand-in"; else note "$image is the official image"; fi
}

# image_of SERVICE: the image that the compose file names for it.
image_of() { (cd "$COMPOSED" && awk -v name="  $1:" '$0 == name { found = 1 } found && /image:/ { print $2; exit }' compose.yaml); }

# image_runs SERVICE COMMAND …: what the command says in that image.
image_runs() {
    local image
    image=$(image_of "$1")
    shift
    docker run --rm --network none --entrypoint "$1" "$image" "${@:2}" 2>/dev/null | sed -n 1p
}

# Our images, each once.
images_of_ours() {
    (cd "$COMPOSED" && sed -n 's/^ *image: \(tenantatlas\/[a-z-]*\):.*/\1/p' compose.yaml) | sort -u | sed "s/\$/:$TAG/"
}

# Says "yes", and the size beside it.
image_is_small() {
    local bytes
    bytes=$(docker image inspect --format '{{.Size}}' "$1")
    note "$1: $((bytes / 1000000)) MB" >&2
    if ((bytes <= IMAGES_MOST_MB * 1000000)); then echo yes; else echo "no: $((bytes / 1000000)) MB"; fi
}
