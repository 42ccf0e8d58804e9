#!/bin/sh
# Collects in ./run the files that one service needs at run time: the installed packages, and the build
# output in ./built of the workspaces that npm linked. The Dockerfile runs this.
set -eu
mkdir run
for link in node_modules/@gudang/*; do
  workspace=$(cd "$link" && pwd -P)
  workspace=${workspace#"$(pwd -P)"/}
  mkdir -p "run/$workspace"
  (
    cd "built/$workspace"
    find . -name node_modules -prune -o -type f \
      \( -path '*/dist/*' -o -path '*/migrations/*' -o -name '*.graphql' \) \
      ! -path '*/src/*' ! -name '*.d.ts' ! -name '*.map' ! -name '*.tsbuildinfo' -print
  ) | while read -r file; do
    mkdir -p "run/$workspace/$(dirname "$file")"
    cp "built/$workspace/$file" "run/$workspace/$file"
  done
  cp "$workspace/package.json" "run/$workspace/"
  # Packages that npm could not hoist to the root's node_modules.
  [ ! -d "$workspace/node_modules" ] || cp -R "$workspace/node_modules" "run/$workspace/"
done
cp -R node_modules package.json run/
