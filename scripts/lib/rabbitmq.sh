# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# A private RabbitMQ node on free loopback ports: own node name, own name server (epmd), own cookie, own data folder,
# no plugins (but that for figures, where RABBITMQ_SHOWS_FIGURES is set), and a user of its own with a random password in
# place of "guest".

RABBITMQ_READY_SECONDS=120
RABBITMQ_PROGRAMS=/usr/lib/rabbitmq/bin

# rabbitmq_start: starts the node; its folder is made when there is none.
# Sets RABBITMQ_PORT, RABBITMQ_URL (of its administrator), RABBITMQ_CTL (a program: rabbitmqctl for this node), and
# RABBITMQ_FIGURES_URL where it shows figures.
rabbitmq_start() {
    [[ -x "$RABBITMQ_PROGRAMS/rabbitmq-server" ]] || die "RabbitMQ's server is not installed."
    local folder=$STATE/rabbitmq epmd_port node_port
    free_port && epmd_port=$PORT
    free_port && node_port=$PORT
    free_port && RABBITMQ_PORT=$PORT
    secret rabbitmq
    # Without a slash at its end: to some clients that would name the virtual host "".
    RABBITMQ_URL=amqp://atlas:$SECRET@127.0.0.1:$RABBITMQ_PORT
    rabbitmq_configure "$folder"
    local environment=(
        "HOME=$folder"
        "ERL_EPMD_PORT=$epmd_port"
        "ERL_EPMD_ADDRESS=127.0.0.1"
        "RABBITMQ_NODENAME=$(<"$folder/name")@localhost"
        "RABBITMQ_DIST_PORT=$node_port"
        "RABBITMQ_CONF_ENV_FILE=$folder/environment.conf"
        "RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf"
        "RABBITMQ_ADVANCED_CONFIG_FILE=$folder/advanced.config"
        "RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins"
        "RABBITMQ_MNESIA_BASE=$folder/data"
        "RABBITMQ_LOG_BASE=$folder/log"
        "RABBITMQ_LOGS=-"
        "RABBITMQ_GENERATED_CONFIG_DIR=$folder/generated"
        "RABBITMQ_SCHEMA_DIR=$folder/schema"
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
    )
    rabbitmq_write_ctl "$folder" "${environment[@]}"
    # Started by us, and not by the node in passing: then its process id is known, and it can be ended.
    process_start epmd TERM KILL -- epmd -port "$epmd_port" -address 127.0.0.1
    # "detached" makes the server's script become the server, so that the process id is the server's.
    process_start rabbitmq TERM KILL detached=true "${environment[@]}" -- "$RABBITMQ_PROGRAMS/rabbitmq-server"
    process_wait_ready rabbitmq "$RABBITMQ_READY_SECONDS" rabbitmq_answers
}

rabbitmq_configure() {
    local folder=$1
    if [[ ! -d "$folder" ]]; then
        mkdir -m 700 "$folder"
        # The data belongs to the name, so it is kept with it.
        printf 'tenantatlas-%s' "$(openssl rand -hex 4)" >"$folder/name"
        (umask 377 && openssl rand -hex 24 >"$folder/.erlang.cookie")
        echo '[].' >"$folder/enabled_plugins"
        echo '[].' >"$folder/advanced.config"
        : >"$folder/environment.conf"
    fi
    (umask 077 && cat >"$folder/rabbitmq.conf") <<-CONFIGURATION
	listeners.tcp.default = 127.0.0.1:$RABBITMQ_PORT
	default_user = atlas
	default_pass = $SECRET
	log.console.level = info
	CONFIGURATION
    [[ -n "${RABBITMQ_SHOWS_FIGURES:-}" ]] || return 0
    free_port
    RABBITMQ_FIGURES_URL=http://127.0.0.1:$PORT
    echo '[rabbitmq_prometheus].' >"$folder/enabled_plugins"
    printf 'prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = %s\n' "$PORT" >>"$folder/rabbitmq.conf"
}

# The folder holds a program that talks to this node, for people and tests.
rabbitmq_write_ctl() {
    RABBITMQ_CTL=$1/rabbitmqctl
    {
        printf '#!/bin/sh\n'
        shift
        printf 'export %q\n' "$@"
        # shellcheck disable=SC2016 # expanded by the program
        printf 'exec %s/rabbitmqctl "$@"\n' "$RABBITMQ_PROGRAMS"
    } >"$RABBITMQ_CTL"
    chmod 700 "$RABBITMQ_CTL"
}

# rabbitmq_answers [HOST]: whether the node greets a client: to AMQP 0-9-1's header it answers with a method frame, whose first byte is 1.
# (A rabbitmqctl would take two seconds to find out.)
rabbitmq_answers() {
    (
        local first
        exec 3<>"/dev/tcp/${1:-127.0.0.1}/$RABBITMQ_PORT" && printf 'AMQP\x00\x00\x09\x01' >&3 &&
            IFS= read -r -t 2 -N 1 -u 3 first && [[ "$first" == $'\x01' ]]
    ) 2>/dev/null
}
