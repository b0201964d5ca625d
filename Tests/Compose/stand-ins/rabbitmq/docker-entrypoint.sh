#!/bin/bash
# As root the official image gives itself up for its own user; under any other user it just starts.
set -e
if [[ "$1" == rabbitmq* && "$(id -u)" == 0 ]]; then
    chown -R rabbitmq: /var/lib/rabbitmq
    exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups "$@"
fi
exec "$@"
