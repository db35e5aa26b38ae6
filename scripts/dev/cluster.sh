#!/bin/sh
# A cluster on this machine: one coordinator, three clients, and a folder as their bucket, all under .dev/.
# cluster.sh start | stop | status | cleanup | [start|stop|run]-coordinator | [start|stop|run]-node N
# FUSECACHE_DEV names another folder than .dev, FUSECACHE_DEV_PORT another first port than 8080 (gRPC: 1000 higher).
set -eu
cd -- "$(dirname -- "$0")/../.."
root=$(pwd -P)

dev=${FUSECACHE_DEV:-$root/.dev}
port=${FUSECACHE_DEV_PORT:-8080}
grpc_port=$((port + 1000))
start_seconds=30
stop_seconds=120

coordinator_options() {
  echo "-port $port -grpc-port $grpc_port -data $dev/coordinator"
}

node_options() { # N
  echo "-mount $dev/node$1/mnt -nvme $dev/node$1/nvme -peer-id node$1 -port $((port + $1)) -grpc-port $((grpc_port + $1))" \
    "-coordinator localhost:$port -coordinator-grpc localhost:$grpc_port" \
    "-cloud-provider file -file-root $dev/bucket"
}

running() { # NAME
  [ -r "$dev/$1.pid" ] && read -r pid <"$dev/$1.pid" && kill -0 "$pid" 2>/dev/null
}

mounted() { # N
  grep -q " $dev/node$1/mnt fuse" /proc/self/mounts
}

healthy() { # PORT
  curl -sf -o /dev/null --max-time 2 "http://localhost:$1/api/health"
}

# Starts a program in a session of its own, so that it outlives this terminal, and waits until it is ready.
launch() { # NAME PROGRAM READY READY-ARGUMENT OPTION...
  name=$1 program=$2 ready=$3 ready_argument=$4
  shift 4
  if running "$name"; then
    echo "$name runs already (pid $pid)"
    return
  fi
  if "$ready" "$ready_argument"; then
    echo "$name cannot start: another process has port $port or the mount of $dev already (FUSECACHE_DEV_PORT and" \
      "FUSECACHE_DEV name others)" >&2
    exit 1
  fi
  setsid "$root/bin/$program" "$@" >"$dev/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$dev/$name.pid"
  tries=$((start_seconds * 20))
  until "$ready" "$ready_argument"; do
    if ! kill -0 "$pid" 2>/dev/null; then
      echo "$name did not start; its last words ($dev/$name.log):" >&2
      tail -n 20 "$dev/$name.log" >&2
      rm -f "$dev/$name.pid"
      exit 1
    fi
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "$name was not ready within $start_seconds s: see $dev/$name.log" >&2
      exit 1
    fi
    sleep 0.05
  done
  echo "$name runs (pid $pid)"
}

start_coordinator() {
  mkdir -p "$dev/coordinator"
  # shellcheck disable=SC2046  # lists of words
  launch coordinator coordinator healthy "$port" $(coordinator_options)
}

start_node() { # N
  mkdir -p "$dev/node$1/mnt" "$dev/node$1/nvme" "$dev/bucket"
  # shellcheck disable=SC2046
  launch "node$1" client mounted "$1" $(node_options "$1")
}

# A clean stop: the daemon uploads what is pending and unmounts.
stop() { # NAME
  if ! running "$1"; then
    rm -f "$dev/$1.pid"
    return
  fi
  kill -TERM "$pid"
  tries=$((stop_seconds * 20))
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "$1 (pid $pid) did not stop within $stop_seconds s: see $dev/$1.log; kill -9 $pid ends it" >&2
      exit 1
    fi
    sleep 0.05
  done
  rm -f "$dev/$1.pid"
  echo "$1 stopped"
}

status() {
  for name in coordinator node1 node2 node3; do
    if running "$name"; then echo "$name: runs (pid $pid), log $dev/$name.log"; else echo "$name: not running"; fi
  done
}

command=${1:-}
case $command in
  start)
    start_coordinator
    for n in 1 2 3; do start_node $n; done
    echo "Mounted: $dev/node1/mnt $dev/node2/mnt $dev/node3/mnt; bucket: $dev/bucket"
    ;;
  stop)
    for n in 1 2 3; do stop node$n; done
    stop coordinator
    ;;
  status) status ;;
  cleanup)
    "$0" stop
    for n in 1 2 3; do
      if mounted $n; then umount -l "$dev/node$n/mnt" || fusermount3 -uz "$dev/node$n/mnt"; fi
    done
    rm -rf "$dev"
    echo "$dev is gone"
    ;;
  start-coordinator) start_coordinator ;;
  stop-coordinator) stop coordinator ;;
  start-node) start_node "$2" ;;
  stop-node) stop "node$2" ;;
  # In the foreground, until Ctrl-C.
  run-coordinator)
    mkdir -p "$dev/coordinator"
    # shellcheck disable=SC2046
    exec bin/coordinator $(coordinator_options)
    ;;
  run-node)
    mkdir -p "$dev/node$2/mnt" "$dev/node$2/nvme" "$dev/bucket"
    # shellcheck disable=SC2046
    exec bin/client $(node_options "$2")
    ;;
  *)
    sed -n '3p' "$0" | sed 's/^# */usage: /' >&2
    exit 2
    ;;
esac
