# shellcheck shell=bash
# What holds for every container, as the engine tells it.

containers_are_hardened() {
    chapter "What every container may do"
    local all=$STATE/containers.json
    # shellcheck disable=SC2046 # ids have no spaces
    docker inspect $(composed_containers) >"$all"
    containers_without "runs as root" 'select(.Config.User | test("^[1-9][0-9]*:[1-9][0-9]*$") | not)'
    containers_without "can write to its image" 'select(.HostConfig.ReadonlyRootfs | not)'
    containers_without "holds a capability" \
        'select((.HostConfig.CapDrop // [] | index("ALL") | not) or (.HostConfig.CapAdd // [] | length > 0))'
    containers_without "may gain rights" 'select(.HostConfig.SecurityOpt // [] | any(startswith("no-new-privileges")) | not)'
    containers_without "is privileged, or shares the host's network or processes" \
        'select(.HostConfig.Privileged or .HostConfig.NetworkMode == "host" or .HostConfig.PidMode == "host")'
    containers_without "has no limit on memory and processes" \
        'select(.HostConfig.Memory == 0 or (.HostConfig.PidsLimit // 0) <= 0)'
    containers_without "is published beyond this machine" \
        'select([.HostConfig.PortBindings // {} | .[] | .[]? | .HostIp] | any(. != "127.0.0.1"))'
    containers_without "mounts something of the engine" 'select([.Mounts[].Source] | any(test("docker.sock|^/(etc|proc|sys|root|home)?$")))'
    expect "services that publish a port" "console prometheus starter" "$(containers_names 'select(.HostConfig.PortBindings // {} | length > 0)')"
    expect "containers that got the database owner's address" "atlas demo-data logins migrate postgres" \
        "$(containers_names 'select([.Mounts[].Destination] | any(. == "/run/secrets/database-url-owner"))' |
            sed 's/^/atlas /' | tr ' ' '\n' | sort -u | paste -sd ' ')"
    expect "containers that got the private key of credentials" \
        "bulk-consumer inventory-consumer provider-consumer restore-consumer" \
        "$(containers_names 'select([.Mounts[].Destination] | any(. == "/run/secrets/credential-private-key"))')"
    expect "an attempt to write to the image" refused \
        "$(docker exec "$(composed_containers starter)" bash -c 'echo >/usr/local/bin/x' 2>/dev/null && echo written || echo refused)"
}

# containers_without WHAT JQ_FILTER: no container is like that.
containers_without() { expect "containers, of which one $1" "" "$(containers_names "$2")"; }

containers_names() {
    jq -r "[.[] | $1 | .Config.Labels[\"com.docker.compose.service\"]] | unique | join(\" \")" "$all"
}
