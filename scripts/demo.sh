#!/bin/sh
# One real tree through all three tiers, on three mounts of this machine: written on node 1, read on node 2 from node 1,
# read on node 3 from the bucket alone. Prints a line per step and a verdict, and leaves the cluster up.
#   demo.sh          run it, and leave it up
#   demo.sh --stop   run it, then stop it and remove what it made
#   demo.sh stop     stop the one that is up, and remove what it made
# FUSECACHE_DEMO_TREE names another tree than the JDK's own, FUSECACHE_DEMO_PORT where to look for free ports (18080).
set -eu
cd -- "$(dirname -- "$0")/.."
root=$(pwd -P)
. scripts/lib/jdk.sh

demo=$root/.dev/demo
tree=${FUSECACHE_DEMO_TREE:-$JAVA_HOME}
FUSECACHE_DEV=$demo/cluster
export FUSECACHE_DEV
cluster=$root/scripts/dev/cluster.sh

usage() {
  echo "usage: $0 [--stop] | stop" >&2
  exit 2
}

# What an older demo left, running or not, on whatever ports it had.
clear_away() {
  if [ -r "$demo/port" ]; then
    read -r FUSECACHE_DEV_PORT <"$demo/port"
    export FUSECACHE_DEV_PORT
    "$cluster" cleanup >"$demo/cleanup.log" 2>&1 || {
      echo "the demo that was up could not be stopped:" >&2
      cat "$demo/cleanup.log" >&2
      exit 1
    }
  fi
  rm -rf "$demo"
}

free() { # PORT
  status=0
  curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$1/" || status=$?
  [ "$status" -eq 7 ] # connection refused
}

# The first of a row of ports that nobody listens on: coordinator, three nodes, and the same 1000 higher.
choose_port() {
  first=${FUSECACHE_DEMO_PORT:-18080}
  last=$((first + 900))
  while [ "$first" -lt "$last" ]; do
    all_free=yes
    for offset in 0 1 2 3 1000; do
      free $((first + offset)) || all_free=
    done
    [ -z "$all_free" ] || break
    first=$((first + 10))
  done
  if [ -z "$all_free" ]; then
    echo "no free ports below $last: stop what listens there, or set FUSECACHE_DEMO_PORT" >&2
    exit 1
  fi
  echo "$first" >"$demo/port"
  FUSECACHE_DEV_PORT=$first
  export FUSECACHE_DEV_PORT
}

now() { # milliseconds
  date +%s%3N
}

mount_of() { # N
  echo "$FUSECACHE_DEV/node$1/mnt"
}

metric() { # N NAME
  curl -sf "http://localhost:$((FUSECACHE_DEV_PORT + $1))/metrics" |
    awk -v name="$2" '$1 == name { printf "%d", $2; found = 1 } END { if (!found) print 0 }'
}

line() { # STEP TIER BYTES MILLISECONDS NOTE
  awk -v step="$1" -v tier="$2" -v bytes="$3" -v ms="$4" -v note="$5" 'BEGIN {
    rate = ms > 0 ? sprintf("%6.0f MB/s", bytes / ms / 1000) : ""
    printf "  %-34s %-14s %8.1f MB %7.2f s %12s  %s\n", step, tier, bytes / 1e6, ms / 1000, rate, note
  }'
}

fail() {
  echo
  echo "FAIL: $1"
  echo "The cluster is left as it is: logs in $FUSECACHE_DEV/*.log; '$0 stop' removes it."
  exit 1
}

read_all() { # DIRECTORY
  find "$1" -type f -print0 | xargs -0 cat >/dev/null
}

# Names, bytes, permissions, times, links.
same() { # DIRECTORY
  diff -r --no-dereference "$tree" "$1" >"$demo/difference" 2>&1 || return 1
  for side in "$tree" "$1"; do
    (cd "$side" && find . -printf '%P %y %m %T@ %l\n' | sort) >"$demo/listing"
    mv "$demo/listing" "$demo/listing.$([ "$side" = "$tree" ] && echo source || echo copy)"
  done
  diff "$demo/listing.source" "$demo/listing.copy" >"$demo/difference" 2>&1
}

sums() { # DIRECTORY
  (cd "$1" && find . -name .fusecache -prune -o -type f -print0 | sort -z | xargs -0 cksum)
}

# Which of the other tiers served what a node read since BEFORE_PEER and BEFORE_CLOUD.
served_by() { # N BEFORE_PEER BEFORE_CLOUD
  peer=$(($(metric "$1" fuse_cache_peer_read_bytes_total) - $2))
  cloud=$(($(metric "$1" fuse_cache_cloud_read_bytes_total) - $3))
  echo "$peer $cloud"
}

read_on() { # N STEP EXPECTED
  before_peer=$(metric "$1" fuse_cache_peer_read_bytes_total)
  before_cloud=$(metric "$1" fuse_cache_cloud_read_bytes_total)
  begin=$(now)
  read_all "$(mount_of "$1")/tree"
  ms=$(($(now) - begin))
  # shellcheck disable=SC2046  # two words
  set -- "$1" "$2" "$3" $(served_by "$1" "$before_peer" "$before_cloud")
  case $3 in
    peer) line "$2" "2: node 1" "$4" "$ms" "" ;;
    cloud) line "$2" "3: bucket" "$5" "$ms" "" ;;
  esac
  if [ "$3" = peer ] && [ "$4" -lt $((bytes * 9 / 10)) ]; then
    fail "node $1 read $4 of $bytes bytes from node 1 and $5 from the bucket"
  fi
  if [ "$3" = cloud ] && { [ "$4" -ne 0 ] || [ "$5" -lt $((bytes * 9 / 10)) ]; }; then
    fail "node $1 read $5 of $bytes bytes from the bucket and $4 from peers"
  fi
  same "$(mount_of "$1")/tree" || fail "node $1 shows another tree than was written: see $demo/difference"
}

stop_at_end=
case ${1:-} in
  '') ;;
  --stop) stop_at_end=yes ;;
  stop)
    clear_away
    echo "No demo is up."
    exit 0
    ;;
  *) usage ;;
esac
[ $# -le 1 ] || usage

clear_away
mkdir -p "$demo"
choose_port

files=$(find "$tree" -type f | wc -l)
bytes=$(find "$tree" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d", sum }')
echo "fuse-cache: one coordinator, three nodes, a folder as the bucket; the tree is $tree ($files files)"
echo

begin=$(now)
"$cluster" start >"$demo/start.log" 2>&1 || { cat "$demo/start.log" >&2; fail "the cluster did not start"; }
printf '  %-34s %-14s %11s %7.2f s\n' "start coordinator and 3 nodes" "" "" "$(awk -v ms=$(($(now) - begin)) 'BEGIN { print ms / 1000 }')"

begin=$(now)
cp -a "$tree" "$(mount_of 1)/tree"
line "write on node 1" "1: NVMe" "$bytes" $(($(now) - begin)) ""
begin=$(now)
read_all "$(mount_of 1)/tree"
line "read on node 1" "1: NVMe" "$bytes" $(($(now) - begin)) "the kernel's own reads"

read_on 2 "read on node 2" peer
begin=$(now)
read_all "$(mount_of 2)/tree"
line "read on node 2 again" "1: NVMe" "$bytes" $(($(now) - begin)) ""
if [ -x "$(mount_of 2)/tree/bin/java" ]; then
  version=$("$(mount_of 2)/tree/bin/java" -version 2>&1 | head -n 1) || fail "java does not run from node 2's mount"
  echo "  run bin/java from node 2's mount   $version"
fi

begin=$(now)
"$root/bin/fusecache" flush "$(mount_of 1)" >"$demo/flush.log" 2>&1 || { cat "$demo/flush.log" >&2; fail "uploads did not finish"; }
line "wait until all is in the bucket" "3: bucket" "$bytes" $(($(now) - begin)) "counted from here: uploads began at close"
sums "$tree" >"$demo/sums.source"
sums "$FUSECACHE_DEV/bucket/tree" >"$demo/sums.bucket" 2>/dev/null || true
cmp -s "$demo/sums.source" "$demo/sums.bucket" || fail "the bucket folder holds other bytes: compare $demo/sums.*"
echo "  the bucket folder, read by cksum   the same $files plain files"

"$cluster" stop-node 1 >>"$demo/start.log" 2>&1
"$cluster" stop-node 2 >>"$demo/start.log" 2>&1
echo "  nodes 1 and 2 are stopped"
read_on 3 "read on node 3" cloud

"$cluster" start-node 1 >>"$demo/start.log" 2>&1 || fail "node 1 did not start again"
"$cluster" start-node 2 >>"$demo/start.log" 2>&1 || fail "node 2 did not start again"
same "$(mount_of 1)/tree" || fail "node 1 shows another tree after its restart: see $demo/difference"
echo "  nodes 1 and 2 are back             with the same tree"
echo
echo "PASS: $files files went through NVMe, peer and bucket, the same everywhere in bytes, permissions, times and links."
echo

if [ -n "$stop_at_end" ]; then
  clear_away
  echo "The demo is stopped and removed."
else
  echo "It is up. Look:  ls $(mount_of 1)/tree"
  echo "                 bin/fusecache status; bin/fusecache explain $(mount_of 2)/tree/release"
  echo "                 curl localhost:$FUSECACHE_DEV_PORT/api/peers; ls $FUSECACHE_DEV/bucket/tree"
  echo "Stop:            make demo-stop"
fi
