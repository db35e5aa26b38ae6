#!/bin/sh
# Trains the daemons and writes their AOT caches (classes loaded, linked and profiled ahead of time), so that a client
# is mounted within a second. The training is the real thing: a coordinator and a client over a folder, files written
# and read through the mount, a clean stop.
set -eu
cd -- "$(dirname -- "$0")/.."
root=$(pwd -P)
dist=$root/cli/target/dist

rm -f "$dist"/*.aot "$dist"/*.aotconf
if [ ! -r /dev/fuse ] || [ ! -w /dev/fuse ]; then
  echo "AOT cache: no usable /dev/fuse to train on, so none is made: starts take longer, nothing else changes" >&2
  exit 0
fi
