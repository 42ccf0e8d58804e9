# Starts PostgreSQL as the image postgres:18 does: creates the cluster if there is none, with the
# password of the superuser from POSTGRES_PASSWORD.
set -eu
export PGDATA=/var/lib/postgresql/stand-in
chown postgres /var/lib/postgresql
mkdir -p /run/postgresql && chown postgres /run/postgresql
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups -- "$@"; }
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" > /run/postgresql/password && chown postgres /run/postgresql/password
  as_postgres initdb --auth=trust --pwfile=/run/postgresql/password --encoding=UTF8 --locale=C.UTF-8
  rm /run/postgresql/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec setpriv --reuid postgres --regid postgres --init-groups -- "$@" -c listen_addresses='*'
