#!/usr/bin/env bash
# Each service's role at the database: it can run all statements of its service, and has no right that none of them needs.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
# shellcheck source=../../scripts/lib/stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/stack.sh"

state_temporary
install_missing python3-psycopg2
postgres_start
stack_database
# Whoever tries what others may do has to be able to become them.
export ADMIN_DATABASE_URL=${POSTGRES_URL%/postgres}/tenantatlas
# Debian's own: the package brings the client library to no other.
/usr/bin/python3 "$ROOT/Tests/System/lib/database_roles.py" "$ROOT/Shared/Store"
