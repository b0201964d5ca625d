# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is read by the files that use it
# A cluster on one machine: three RabbitMQ nodes, and a PostgreSQL primary with its synchronous standby, each in a network
# namespace of its own, as if it were a machine: its link can be cut. What is to be tested runs beside them, in the
# namespace that joins them. They are set up by the files of compose/cluster, as a real cluster is.

CLUSTER_NODES=(rabbitmq1 rabbitmq2 rabbitmq3)
CLUSTER_SERVERS=(postgres1 postgres2)
# The addresses are nobody else's: they are known in these namespaces only.
CLUSTER_NETWORK=10.77.0
CLUSTER_READY_SECONDS=180

# cluster_enter SCRIPT [ARGUMENT …]: goes on with the script in namespaces that end with it. The kernel then removes what
# was made there: bridge, links, mounts, and the shared memory of a server that was killed.
cluster_enter() {
    ((EUID == 0)) || die "Please run as root: network namespaces need it."
    exec unshare --net --mount --ipc -- "$@"
}

# The links: a bridge with a cable to each namespace; and names for them, in a file that only we see as /etc/hosts.
cluster_network() {
    local machine number=10
    mkdir -p /run/netns
    mount -t tmpfs tmpfs /run/netns
    mount -t tmpfs tmpfs /dev/shm
    ip link set lo up
    ip link add cluster type bridge
    ip address add "$CLUSTER_NETWORK.1/24" dev cluster
    ip link set cluster up
    printf '127.0.0.1 localhost\n' >"$STATE/hosts"
    for machine in "${CLUSTER_NODES[@]}" "${CLUSTER_SERVERS[@]}"; do
        number=$((number + 1))
        ip netns add "$machine"
        ip link add "$machine" type veth peer name eth0 netns "$machine"
        ip link set "$machine" master cluster up
        ip -n "$machine" link set lo up
        ip -n "$machine" address add "$CLUSTER_NETWORK.$number/24" dev eth0
        ip -n "$machine" link set eth0 up
        printf '%s.%d %s\n' "$CLUSTER_NETWORK" "$number" "$machine" >>"$STATE/hosts"
    done
    chmod 644 "$STATE/hosts"
    mount --bind "$STATE/hosts" /etc/hosts
}

# cluster_cut MACHINE | cluster_mend MACHINE: its cable is out, or in again. Nobody is told: what was sent gets no answer.
cluster_cut() { ip link set "$1" down; }
cluster_mend() { ip link set "$1" up; }

# cluster_kill MACHINE: everything that runs there ends at once, as if its power were cut.
cluster_kill() {
    local pids
    mapfile -t pids < <(ip netns pids "$1")
    kill -KILL "${pids[@]}" 2>/dev/null || true
    eventually "$1 is dead" 10 cluster_is_dead "$1"
}

cluster_is_dead() { [[ -z "$(ip netns pids "$1")" ]]; }

# ---- RabbitMQ ----------------------------------------------------------------------------------------------------

# Starts the nodes and waits until they are one cluster. Sets AMQP_URL.
cluster_rabbitmq() {
    local node
    secret rabbitmq
    RABBITMQ_PORT=5672
    AMQP_URL="amqp://atlas:$SECRET@rabbitmq1,rabbitmq2,rabbitmq3/?heartbeat=5"
    secret rabbitmq-cookie
    for node in "${CLUSTER_NODES[@]}"; do
        cluster_node_configure "$node"
        cluster_node_start "$node"
    done
    for node in "${CLUSTER_NODES[@]}"; do cluster_node_ready "$node"; done
    eventually "one cluster" "$CLUSTER_READY_SECONDS" cluster_is_whole
}

cluster_node_configure() {
    local folder=$STATE/$1
    mkdir -m 700 "$folder"
    (umask 377 && cp "$STATE/secrets/rabbitmq-cookie" "$folder/.erlang.cookie")
    echo '[].' >"$folder/enabled_plugins"
    echo '[].' >"$folder/advanced.config"
    : >"$folder/environment.conf"
    {
        cat "$ROOT/compose/cluster/rabbitmq.conf"
        printf 'default_user = atlas\ndefault_pass = %s\nlog.console.level = info\n' "$(<"$STATE/secrets/rabbitmq")"
    } >"$folder/rabbitmq.conf"
    rabbitmq_write_ctl "$folder" "HOME=$folder" "RABBITMQ_NODENAME=rabbit@$1"
}

# cluster_node_start NODE: on one core each, and without keeping it busy while there is nothing to do: the machine is shared.
cluster_node_start() {
    local PROCESS_NAMESPACE=$1 folder=$STATE/$1
    # The name server outlives a node that is killed.
    process_is_running "epmd-$1" || process_start "epmd-$1" TERM KILL -- epmd
    process_start "$1" TERM KILL detached=true "HOME=$folder" "RABBITMQ_NODENAME=rabbit@$1" \
        "RABBITMQ_CONF_ENV_FILE=$folder/environment.conf" "RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf" \
        "RABBITMQ_ADVANCED_CONFIG_FILE=$folder/advanced.config" \
        "RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins" "RABBITMQ_MNESIA_BASE=$folder/data" \
        "RABBITMQ_LOG_BASE=$folder/log" RABBITMQ_LOGS=- "RABBITMQ_GENERATED_CONFIG_DIR=$folder/generated" \
        "RABBITMQ_SCHEMA_DIR=$folder/schema" "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none" -- \
        "$RABBITMQ_PROGRAMS/rabbitmq-server"
}

cluster_node_ready() {
    process_wait_ready "$1" "$CLUSTER_READY_SECONDS" rabbitmq_answers "$1"
}

# cluster_ctl NODE ARGUMENT …: rabbitmqctl as that node sees things.
cluster_ctl() {
    local node=$1
    shift
    ip netns exec "$node" "$STATE/$node/rabbitmqctl" --quiet --timeout 20 "$@"
}

# Whether all nodes run and see each other.
cluster_is_whole() {
    local node
    for node in "${CLUSTER_NODES[@]}"; do
        [[ "$(cluster_ctl "$node" cluster_status --formatter json 2>/dev/null | jq '.running_nodes | length')" == 3 ]] ||
            return 1
    done
}

# cluster_queues NODE: the queues as that node sees them, a document each: name, leader, members, online, arguments.
cluster_queues() {
    cluster_ctl "$1" list_queues --formatter json name leader members online arguments | jq -c '.[]'
}

# Whether each queue has three members, all of them there.
cluster_queues_are_whole() {
    cluster_queues "${1:-rabbitmq1}" 2>/dev/null |
        jq -es 'length > 0 and all(.[]; (.members | length) == 3 and (.online | length) == 3)' >/dev/null
}

# cluster_leader QUEUE: the name of the node that leads the queue.
cluster_leader() {
    cluster_queues rabbitmq1 | jq -r --arg queue "$1" 'select(.name == $queue) | .leader | sub("^rabbit@"; "")'
}

# cluster_lead NODE QUEUE: makes the node the queue's leader.
cluster_lead() {
    cluster_ctl "$1" eval "{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"$2\">>)),
        rabbit_quorum_queue:transfer_leadership(Q, 'rabbit@$1')." >/dev/null
    eventually "$1 leads $2" 30 cluster_leads "$1" "$2"
}

cluster_leads() { [[ "$(cluster_leader "$2")" == "$1" ]]; }

# cluster_node_of SERVICE: the node that it publishes to, as its log says.
cluster_node_of() {
    jq -r 'select(.message == "publisher connected") | .broker | capture("@(?<node>[a-z0-9]+):").node' \
        "$STATE/logs/$1.log" | tail -n 1
}

# ---- PostgreSQL --------------------------------------------------------------------------------------------------

# Starts the primary and its standby, and makes commits wait for the standby.
cluster_postgres() {
    local PROCESS_USER=postgres
    POSTGRES_BIN=$(postgres_programs) || die "PostgreSQL's server is not installed."
    POSTGRES_HOST=postgres1,postgres2 POSTGRES_PORT=5432
    # For psql; the services ask for it themselves.
    export PGTARGETSESSIONATTRS=read-write PGCONNECT_TIMEOUT=3
    secret postgres
    postgres_initialise
    # Each server's folder may be replaced as a whole.
    mv "$STATE/postgres/data" "$STATE/postgres/postgres1"
    # The servers' user has to read it, wherever the checkout lies.
    install -m 644 "$ROOT/compose/cluster/postgresql.conf" "$STATE/postgres/"
    # As compose/cluster/pg_hba.conf, but without TLS: the certificates are another test's.
    printf 'host %s %s all scram-sha-256\n' all all replication replicator >"$STATE/postgres/pg_hba.conf"
    chmod 644 "$STATE/postgres/pg_hba.conf"
    cluster_server_start postgres1
    secret replication
    POSTGRES_HOST=postgres1 postgres_sql postgres <<<"CREATE ROLE replicator LOGIN REPLICATION PASSWORD '$SECRET'"
    cluster_standby postgres2 postgres1
    cluster_synchronous postgres1
}

# cluster_server_start SERVER: starts it, as what its folder says that it is.
cluster_server_start() {
    local PROCESS_USER=postgres PROCESS_NAMESPACE=$1 folder
    folder=$(readlink -f "$STATE/postgres")
    process_start "$1" INT QUIT -- "$POSTGRES_BIN/postgres" -D "$folder/$1" -c "config_file=$folder/postgresql.conf" \
        -c "hba_file=$folder/pg_hba.conf" -c "cluster_name=$1" -c "max_connections=$POSTGRES_MAX_CONNECTIONS" \
        -c unix_socket_directories=
    process_wait_ready "$1" "$POSTGRES_READY_SECONDS" "$POSTGRES_BIN/pg_isready" -q -h "$1"
}

# cluster_standby SERVER PRIMARY [--anew]: makes the server a standby by the script that a real cluster uses, and starts it.
cluster_standby() {
    local server=$1 primary=$2 folder
    shift 2
    folder=$(readlink -f "$STATE/postgres")
    install -m 600 -o postgres -g postgres "$STATE/secrets/replication" "$folder/replication"
    install -m 755 "$ROOT/compose/cluster/standby" "$folder/make-standby"
    (cd / && ip netns exec "$server" setpriv --reuid postgres --regid postgres --init-groups \
        env PATH="$POSTGRES_BIN:$PATH" "PGDATA=$folder/$server" "PRIMARY=$primary" \
        "REPLICATION_PASSWORD_FILE=$folder/replication" "$folder/make-standby" "$@") \
        >>"$STATE/logs/standby.log" 2>&1 || {
        show_end "$STATE/logs/standby.log"
        die "$server could not be made a standby of $primary."
    }
    cluster_server_start "$server"
}

# cluster_synchronous PRIMARY | cluster_promote STANDBY: by the scripts that a real cluster uses.
cluster_synchronous() { cluster_as_superuser "$1" synchronous; }
cluster_promote() { cluster_as_superuser "$1" promote; }

cluster_as_superuser() {
    local said
    said=$(env PATH="$POSTGRES_BIN:$PATH" PGTARGETSESSIONATTRS=any PGHOST="$1" PGUSER=postgres \
        PGPASSWORD="$(<"$STATE/secrets/postgres")" "$ROOT/compose/cluster/$2" 2>&1) || die "$2 at $1: $said"
    note "$1: $said"
}
