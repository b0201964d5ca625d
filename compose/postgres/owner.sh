#!/bin/bash
# Runs once, when the data folder is made: the database and its owner, who migrates it and makes the services' logins.
# Nobody works as the server's administrator.
set -euo pipefail
url=$(</run/secrets/database-url-owner)
login=${url#*://}
password=${login#*:}
password=${password%%@*}
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres --dbname postgres <<SQL
CREATE ROLE tenantatlas_owner LOGIN CREATEROLE PASSWORD '$password';
CREATE DATABASE tenantatlas OWNER tenantatlas_owner;
REVOKE ALL ON DATABASE tenantatlas FROM PUBLIC;
GRANT CONNECT ON DATABASE tenantatlas TO PUBLIC;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
SQL
