#!/bin/busybox sh
# Starts PostgreSQL as the image postgres:18 does: creates the cluster if there is none, with the password
# of the superuser from POSTGRES_PASSWORD.
set -eu
export PGDATA=/var/lib/postgresql/18/docker
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  /bin/busybox mkdir -p "$PGDATA"
  /bin/busybox chmod 700 "$PGDATA"
  printf %s "$POSTGRES_PASSWORD" > /tmp/password
  initdb --username=postgres --auth=scram-sha-256 --pwfile=/tmp/password --encoding=UTF8 --locale=C
  /bin/busybox rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec postgres "$@" -c listen_addresses='*' -c unix_socket_directories=/tmp
