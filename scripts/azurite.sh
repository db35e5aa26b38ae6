#!/bin/sh
# Installs Azurite, in the versions of stores/azurite, into stores/target/azurite; a second run finds it there.
set -eu
cd -- "$(dirname -- "$0")/.."

wanted=stores/azurite/package-lock.json
there=stores/target/azurite
if cmp -s "$wanted" "$there/installed"; then
  exit 0
fi
command -v npm >/dev/null || {
  echo "azurite: no npm here: scripts/install-deps.sh installs it" >&2
  exit 1
}
rm -rf "$there"
mkdir -p "$there"
cp stores/azurite/package.json "$wanted" "$there"
npm ci --prefix "$there" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
cp "$wanted" "$there/installed"
