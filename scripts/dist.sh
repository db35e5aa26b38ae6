#!/bin/sh
# Completes cli/target/dist, the layout that bin/ runs: lib/*.jar, native/ with this platform's RocksDB, the name of
# the JDK, and an AOT cache per daemon. Does only what a changed jar makes necessary.
set -eu
cd -- "$(dirname -- "$0")/.."
. scripts/lib/jdk.sh

dist=cli/target/dist
mkdir -p "$dist/lib" "$dist/native"

changed=
for jar in cli/target/fusecache.jar cli/target/lib/*.jar; do
  name=${jar##*/}
  if [ "$dist/lib/$name" -nt "$jar" ]; then
    continue
  fi
  changed=yes
  case $name in
    rocksdbjni-*) "$JAVA_HOME/bin/java" scripts/lib/StripNatives.java "$jar" "$dist/lib/$name" "$dist/native" ;;
    *) cp "$jar" "$dist/lib/$name" ;;
  esac
done
for jar in "$dist"/lib/*.jar; do
  name=${jar##*/}
  [ "$name" = fusecache.jar ] || [ -e "cli/target/lib/$name" ] || rm -f "$jar"
done

# Last, because it says that the layout is whole.
echo "$JAVA_HOME" >"$dist/jdk"
if [ -n "$changed" ] || [ ! -e "$dist/trained" ]; then
  rm -f "$dist/trained"
  scripts/aot.sh
  : >"$dist/trained"
fi
