#!/bin/sh
# Airflow's simple login keeps passwords in a file that it must be able to write; ours comes from the environment at each start.
set -eu
: "${AIRFLOW_ADMIN_PASSWORD:?is not set; run sh scripts/secrets.sh}"
umask 077
printf '{"admin": "%s"}\n' "$AIRFLOW_ADMIN_PASSWORD" >"$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
unset AIRFLOW_ADMIN_PASSWORD
exec airflow api-server
