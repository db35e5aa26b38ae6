#!/bin/sh
# A cluster on this machine: one coordinator or three, three clients, and a folder as their bucket, all under .dev/.
# cluster.sh start [COORDINATORS] | stop | status | cleanup | [start|stop|run]-coordinator [N] | [start|stop|run]-node N
# How many coordinators there are, 1 or 3, stays until cleanup; of three, N says which one.
# FUSECACHE_DEV names another folder than .dev, FUSECACHE_DEV_PORT another first port than 8080 (gRPC: 1000 higher).
set -eu
cd -- "$(dirname -- "$0")/../.."
root=$(pwd -P)

dev=${FUSECACHE_DEV:-$root/.dev}
port=${FUSECACHE_DEV_PORT:-8080}
grpc_port=$((port + 1000))
start_seconds=30
stop_seconds=120

coordinators() {
  if [ -r "$dev/coordinators" ]; then cat "$dev/coordinators"; else echo 1; fi
}

# The names of all, with which their pid, log and folder are called.
coordinator_names() {
  if [ "$(coordinators)" = 3 ]; then echo coordinator1 coordinator2 coordinator3; else echo coordinator; fi
}

# The port BASE of coordinator N: of three they are 10 apart, behind those of the nodes.
nth() { # BASE [N]
  if [ "$(coordinators)" = 3 ]; then echo $(($1 + 10 * $2)); else echo "$1"; fi
}

# localhost:PORT of all, with commas between.
each() { # BASE
  if [ "$(coordinators)" = 3 ]; then
    echo "localhost:$(nth "$1" 1),localhost:$(nth "$1" 2),localhost:$(nth "$1" 3)"
  else
    echo "localhost:$1"
  fi
}

coordinator_options() { # [N]
  echo "-port $(nth "$port" "$1") -grpc-port $(nth "$grpc_port" "$1") -data $dev/coordinator$1"
  if [ "$(coordinators)" = 3 ]; then
    peers=
    for n in 1 2 3; do
      peers=$peers${peers:+,}c$n=localhost:$(nth $((port - 1000)) $n):$(nth "$grpc_port" $n):$(nth "$port" $n)
    done
    echo "-raft-id c$1 -raft-peers $peers"
  fi
}

node_options() { # N
  echo "-mount $dev/node$1/mnt -nvme $dev/node$1/nvme -peer-id node$1 -port $((port + $1)) -grpc-port $((grpc_port + $1))" \
    "-coordinator $(each "$port") -coordinator-grpc $(each "$grpc_port")" \
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

start_coordinator() { # [N]
  mkdir -p "$dev/coordinator$1"
  # shellcheck disable=SC2046  # lists of words
  launch "coordinator$1" coordinator healthy "$(nth "$port" "$1")" $(coordinator_options "$1")
}

# Of three, a node finds none before two are up.
start_coordinators() {
  for name in $(coordinator_names); do start_coordinator "${name#coordinator}"; done
}

# Another number than that of before has other folders and ports.
set_coordinators() { # COORDINATORS
  case $1 in 1 | 3) ;; *) echo "'$1' coordinators: 1 or 3" >&2 && exit 2 ;; esac
  if [ "$(coordinators)" != "$1" ] && [ -d "$dev/bucket" ]; then
    echo "$dev is of a cluster with $(coordinators) coordinators: cleanup first, or name another folder in FUSECACHE_DEV" >&2
    exit 1
  fi
  mkdir -p "$dev"
  echo "$1" >"$dev/coordinators"
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
  for name in $(coordinator_names) node1 node2 node3; do
    if running "$name"; then echo "$name: runs (pid $pid), log $dev/$name.log"; else echo "$name: not running"; fi
  done
}

command=${1:-}
case $command in
  start)
    set_coordinators "${2:-$(coordinators)}"
    start_coordinators
    for n in 1 2 3; do start_node $n; done
    echo "Mounted: $dev/node1/mnt $dev/node2/mnt $dev/node3/mnt; bucket: $dev/bucket"
    ;;
  stop)
    for n in 1 2 3; do stop node$n; done
    for name in $(coordinator_names); do stop "$name"; done
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
  start-coordinator) start_coordinator "${2:-}" ;;
  stop-coordinator) stop "coordinator${2:-}" ;;
  start-node) start_node "$2" ;;
  stop-node) stop "node$2" ;;
  # In the foreground, until Ctrl-C.
  run-coordinator)
    mkdir -p "$dev/coordinator${2:-}"
    # shellcheck disable=SC2046
    exec bin/coordinator $(coordinator_options "${2:-}")
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
