#!/bin/busybox sh
# Whether PostgreSQL accepts connections. The PostgreSQL of npm has no pg_isready.
exec /bin/busybox nc -w 2 127.0.0.1 5432 < /dev/null
