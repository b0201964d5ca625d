# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# A Docker Engine: the machine's own where one runs, else one that is started for the time of the script.

INSTALL_FOR_CONTAINERS=(docker.io docker-compose debootstrap iptables)
DOCKER_READY_SECONDS=60

# docker_start: makes sure that an engine answers. One that we start lies in a folder of its own that is kept between
# runs, so that what was built once is there the next time; it ends with the script (see docker_stop).
docker_start() {
    DOCKER_PID=
    docker_answers && return 0
    command -v dockerd >/dev/null || die "There is no Docker Engine, and no dockerd to start one."
    ((EUID == 0)) || die "No Docker Engine answers, and only root can start one."
    step "starting a Docker Engine"
    # Where the kernel can't do this, the engine falls back by itself to a slower way of keeping files.
    setsid dockerd >"$STATE/logs/dockerd.log" 2>&1 9>&- &
    DOCKER_PID=$!
    disown "$DOCKER_PID"
    wait_until "$DOCKER_READY_SECONDS" docker_answers_or_ended || true
    docker_answers || {
        show_end "$STATE/logs/dockerd.log"
        die "The Docker Engine ended, or did not answer within $DOCKER_READY_SECONDS s."
    }
}

docker_answers_or_ended() { docker_answers || docker_has_ended; }
docker_has_ended() { ! kill -0 "$DOCKER_PID" 2>/dev/null; }

docker_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Ends the engine that docker_start started.
docker_stop() {
    [[ -n "${DOCKER_PID:-}" ]] || return 0
    kill -TERM "$DOCKER_PID" 2>/dev/null
    wait_until 30 docker_has_ended || note "The Docker Engine $DOCKER_PID does not end."
    DOCKER_PID=
}

# docker_has IMAGE: whether the engine has it.
docker_has() { docker image inspect "$1" >/dev/null 2>&1; }
