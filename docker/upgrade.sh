#!/bin/sh
# Replaces the containers of services by the images that Compose would start now, without refusing a
# request: new replicas start beside the old ones, which are then drained and removed. Run it in this
# folder, after building or pulling the images. Without arguments it migrates the databases and replaces
# all services:
#   sh upgrade.sh [service...]
set -eu
if [ $# -eq 0 ]; then
  docker compose run --rm --no-TTY migrate
  set -- stock-subgraph order-subgraph gateway
fi
for service in "$@"; do
  old=$(docker compose ps --quiet "$service")
  count=$(echo "$old" | wc -l)
  docker compose up --detach --no-deps --no-recreate --wait --scale "$service=$((2 * count))" "$service"
  # The edge finds new replicas within a second, and checks each every second.
  sleep 3
  # The services drain within 20 s.
  docker stop --time 40 $old
  docker rm $old
  docker compose up --detach --no-deps --no-recreate --scale "$service=$count" "$service"
done
