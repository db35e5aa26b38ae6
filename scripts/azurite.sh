#!/bin/sh
# Installs Azurite, in the versions of stores/azurite, below the user's cache, and links it to stores/target/azurite: where it is
# installed once, a clean build takes neither npm nor the network. Where it cannot be installed it says so and ends well: then the
# tests that start it fail, and no others.
set -eu
cd -- "$(dirname -- "$0")/.."

wanted=stores/azurite/package-lock.json
shown=stores/target/azurite
sum=$(sha256sum "$wanted" | cut -c1-16)
cache=${XDG_CACHE_HOME:-${HOME:-$PWD/stores/target}/.cache}/fusecache
kept=$cache/azurite-$sum

failed() {
  echo "azurite: $1: the tests that start it will fail" >&2
  exit 0
}

rm -rf "$shown"
if [ ! -d "$kept" ]; then
  command -v npm >/dev/null || failed "no npm here (scripts/install-deps.sh installs it)"
  mkdir -p "$cache" || failed "$cache cannot be made"
  part=$(mktemp -d "$cache/azurite.XXXXXX") || failed "$cache cannot be written"
  trap 'rm -rf "$part"' EXIT
  trap 'exit 1' HUP INT TERM
  cp stores/azurite/package.json "$wanted" "$part"
  npm ci --prefix "$part" --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error >&2 ||
    failed "npm cannot install it"
  # Whole from the beginning under its name; somebody else's that came first is as good.
  mv -T "$part" "$kept" 2>/dev/null || [ -d "$kept" ] || failed "$kept cannot be made"
fi
mkdir -p stores/target
ln -s "$kept" "$shown"
