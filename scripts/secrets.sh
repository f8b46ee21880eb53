#!/bin/sh
# Writes .env for docker-compose.yml: .env.example with a random value for every secret. Run it as often as you like: what has a
# value keeps it, what is empty gets one, and what a newer .env.example asks for is added. No value is ever printed.
set -eu
umask 077
cd "$(dirname "$0")/.."

# Hexadecimal: nothing that compose, a URL or Grafana would read as something else ($ # @ / % and quotes).
password() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
# Airflow wants 32 bytes as URL-safe base64.
fernet_key() { head -c 32 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'; }

secret() {
  case "$1" in
    *FERNET_KEY) fernet_key ;;
    *) password ;;
  esac
}

# What .env.example leaves empty is a secret.
names=$(sed -n 's/^\([A-Z][A-Z0-9_]*\)=$/\1/p' .env.example)

# Line by line and with builtins alone: a value on a command line would be in the list of processes for all to read.
filled() {
  while IFS= read -r line || [ -n "$line" ]; do
    name=${line%%=*}
    if [ "$line" = "$name=" ] && printf '%s\n' "$names" | grep -qx "$name"; then
      line="$name=$(secret "$name")"
      echo "$name: a random value" >&3
    fi
    printf '%s\n' "$line"
  done
}

if [ -e .env ]; then
  echo ".env: is there, and keeps every value that it has"
  source=.env
else
  echo ".env: made from .env.example, readable by you alone"
  source=.env.example
fi
exec 3>&1
filled <"$source" >.env.new
for name in $names; do
  grep -q "^$name=" .env.new && continue
  printf '%s=%s\n' "$name" "$(secret "$name")" >>.env.new
  echo "$name: new, a random value"
done
# Whole or not at all: an interrupted run leaves the old file.
mv .env.new .env
made=""
for folder in alertmanager notify; do
  [ -d "secrets/$folder" ] && continue
  mkdir -p "secrets/$folder"
  # A container's user is nobody here: the inner folder is open to all, and the outer one keeps everybody out.
  chmod 755 "secrets/$folder"
  made="$made secrets/$folder"
done
if [ -n "$made" ]; then
  echo "secrets/: made$made, for what alerts and messages are sent with (docs/deploy.md)"
else
  echo "secrets/: is there"
fi
echo "next: docker compose up -d"
