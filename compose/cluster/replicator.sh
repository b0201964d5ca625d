#!/bin/bash
# Runs once, when the primary's data folder is made: the role by which the standby gets the log.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname postgres <<SQL
CREATE ROLE replicator LOGIN REPLICATION PASSWORD '$(</run/secrets/replication-password)';
SQL
