#!/bin/bash
# Starts PostgreSQL, and first makes the database where there is none. POSTGRES_USER, POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_DB
# and PGDATA mean what they mean in the official image. Runs as root (and then drops to the user postgres) or as any other user.
set -euo pipefail

[[ $# -eq 0 || ${1:0:1} == - ]] && set -- postgres "$@"
[[ $1 != postgres ]] && exec "$@"

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres:postgres {} +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

# initdb wants a name for its user; a pod may run under a number that has none.
if ! getent passwd "$(id -u)" >/dev/null; then
  NSS_WRAPPER_PASSWD=$(mktemp) NSS_WRAPPER_GROUP=$(mktemp)
  echo "postgres:x:$(id -u):$(id -g)::$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
  echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
  LD_PRELOAD=$(find /usr/lib -name libnss_wrapper.so -print -quit)
  export LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
fi

# The mark stands from before the first file to after the last: a data folder that has it was never finished and holds nothing of value.
mark=$PGDATA/.initialising
mkdir -p "$PGDATA"
chmod 0700 "$PGDATA" 2>/dev/null || true

initialise() {
  local password=${POSTGRES_PASSWORD:-} user=${POSTGRES_USER:-postgres} file name
  local database=${POSTGRES_DB:-$user}
  if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then password=$(<"$POSTGRES_PASSWORD_FILE"); fi
  if [[ -z $password ]]; then
    echo "There is no database in $PGDATA yet and no password to make one with: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE." >&2
    exit 1
  fi
  if [[ -n $(find "$PGDATA" -mindepth 1 -maxdepth 1 \! -name lost+found \! -name .initialising -print -quit) && ! -d $mark ]]; then
    echo "$PGDATA is neither empty nor a database; it is left alone. Use an empty folder." >&2
    exit 1
  fi
  mkdir -p "$mark"
  find "$PGDATA" -mindepth 1 -maxdepth 1 \! -name lost+found \! -name .initialising -exec rm -rf {} +
  rm -rf "$mark/data"

  initdb --pgdata="$mark/data" --username="$user" --pwfile=<(printf '%s\n' "$password") \
    --auth-local=trust --auth-host=scram-sha-256 --data-checksums --no-instructions
  if [[ $database != postgres ]]; then
    name=${database//\"/\"\"}
    echo "CREATE DATABASE \"$name\"" | postgres --single -j -D "$mark/data" postgres >/dev/null
  fi
  echo 'host all all all scram-sha-256' >>"$mark/data/pg_hba.conf"
  echo "listen_addresses = '*'" >>"$mark/data/postgresql.conf"

  for file in "$mark/data"/*; do mv "$file" "$PGDATA/"; done
  rmdir "$mark/data"
  sync -f "$PGDATA"
  rmdir "$mark" # from here on there is a database
  echo "A database cluster was made in $PGDATA, with the database $database of the user $user."
}

if [[ ! -s $PGDATA/PG_VERSION || -d $mark ]]; then initialise; fi
if [[ -n ${NSS_WRAPPER_PASSWD:-} ]]; then rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"; fi
unset POSTGRES_PASSWORD LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
exec "$@"
