#!/bin/sh
# Trains the programs and writes their AOT caches (classes loaded, linked and profiled ahead of time), so that a client
# is mounted within a second. The training is the real thing: a coordinator and a client over a folder, files written,
# read, renamed and removed through the mount, a clean stop.
set -eu
cd -- "$(dirname -- "$0")/.."
root=$(pwd -P)
dist=$root/cli/target/dist
. scripts/lib/jdk.sh

rm -f "$dist"/*.aot
if ! { [ -r /dev/fuse ] && [ -w /dev/fuse ]; }; then
  echo "AOT cache: no usable /dev/fuse to train on, so none is made; programs start slower, nothing else changes" >&2
  exit 0
fi

training=$(mktemp -d)
FUSECACHE_DEV=$training/cluster
FUSECACHE_DEV_PORT=${FUSECACHE_AOT_PORT:-28380}
FUSECACHE_AOT_RECORD=$training
export FUSECACHE_DEV FUSECACHE_DEV_PORT FUSECACHE_AOT_RECORD
mount=$FUSECACHE_DEV/node1/mnt

end() {
  if grep -q " $training/mnt fuse" /proc/self/mounts; then
    kill -TERM "$mounting" && wait "$mounting" || true
  fi
  FUSECACHE_AOT_RECORD='' scripts/dev/cluster.sh cleanup >>"$training/log" 2>&1 || cat "$training/log" >&2
  rm -rf "$training"
}
trap end EXIT
trap 'exit 1' INT TERM

exercise() {
  mkdir "$mount/sources"
  cp -a "$root"/*/src "$mount/sources" 2>/dev/null || cp -a "$root/fuse/src" "$mount/sources"
  find "$mount" -type f -exec cat {} + >/dev/null
  ls -lR "$mount" >/dev/null
  head -c 20000000 /dev/urandom >"$mount/large"
  mv "$mount/large" "$mount/moved"
  ln "$mount/moved" "$mount/link"
  ln -s moved "$mount/symbolic"
  chmod 600 "$mount/moved"
  truncate -s 5000000 "$mount/moved"
  dd if=/dev/zero of="$mount/moved" bs=4k seek=100 count=10 conv=notrunc,fsync 2>/dev/null
  curl -sf "http://localhost:$((FUSECACHE_DEV_PORT + 1))/metrics" >/dev/null
  bin/fusecache status "$mount" >/dev/null
  # Recorded apart below: each verb would overwrite what the one before it recorded.
  FUSECACHE_AOT_RECORD='' bin/fusecache flush "$mount" >/dev/null
  rm -r "$mount/sources" "$mount/moved"
}

# A node with its own coordinator in one process.
exercise_mount() {
  mkdir "$training/folder" "$training/home"
  XDG_STATE_HOME=$training/home XDG_CACHE_HOME=$training/home bin/fusecache mount "file://$training/folder" "$training/mnt" &
  mounting=$!
  tries=600
  until grep -q " $training/mnt fuse" /proc/self/mounts; do
    kill -0 "$mounting" 2>/dev/null && [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.05
  done
  cp -a "$root/metadata/src" "$training/mnt"
  find "$training/mnt" -type f -exec cat {} + >/dev/null
  kill -TERM "$mounting"
  wait "$mounting"
}

train() {
  scripts/dev/cluster.sh start-coordinator && scripts/dev/cluster.sh start-node 1 && exercise &&
    scripts/dev/cluster.sh stop-node 1 && scripts/dev/cluster.sh stop-coordinator && exercise_mount
}

if ! train >>"$training/log" 2>&1; then
  echo "AOT cache: the training run failed, so none is made; programs start slower. It said:" >&2
  tail -n 20 "$training/log" >&2
  exit 0
fi

program() { # ROLE
  if [ "$1" = mount ]; then echo "bin/fusecache mount"; else echo "bin/$1"; fi
}

for role in coordinator client fusecache mount; do
  if [ ! -s "$training/$role.aotconf" ]; then
    echo "AOT cache: the training of $role left no record, so it gets none" >&2
    continue
  fi
  FUSECACHE_AOT_RECORD='' FUSECACHE_AOT_CREATE=$training/$role.aotconf $(program "$role") >"$training/create.log" 2>&1 || {
    echo "AOT cache: none for $role:" >&2
    cat "$training/create.log" >&2
  }
done
