#!/bin/sh
# Installs what building, running and testing need, as far as it is missing; a second run finds nothing to do.
# As an ordinary user it says what to install and fails.
set -eu
cd -- "$(dirname -- "$0")/.."

# command:Debian package
needed='
mvn:maven
git:git
python3:python3
make:make
gcc:gcc
curl:curl
rsync:rsync
fusermount3:fuse3
sqlite3:sqlite3
fio:fio
getfattr:attr
getfacl:acl
ip:iproute2
nft:nftables
fuser:psmisc
tar:tar
unshare:util-linux
stress-ng:stress-ng
dbench:dbench
fs_mark:fsmark
node:nodejs
npm:npm
'

missing=
for line in $needed; do
  command -v "${line%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${line%%:*}" ] || missing="$missing ${line#*:}"
done
# gcc alone cannot compile a program: the headers of libc come apart.
[ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
# Its server lies beside the path, in a directory of its version.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "install-deps: missing:$missing" >&2
    echo "install-deps: install them, on Debian or Ubuntu with: sudo apt-get install$missing" >&2
    exit 1
  fi
  echo "install-deps: installing$missing"
  apt-get update -qq
  case $missing in
    *postgresql*)
      # Debian makes and starts a server at once, which nobody asked for here.
      if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
      fi
      ;;
  esac
  # shellcheck disable=SC2086  # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold \
    $missing >/dev/null
fi

. scripts/lib/jdk.sh

if [ ! -e /dev/fuse ] && [ "$(id -u)" = 0 ]; then
  modprobe fuse 2>/dev/null || true
fi
[ -e /dev/fuse ] || echo "install-deps: no /dev/fuse here: tests that mount will be skipped" >&2

echo "install-deps: ${missing:+installed$missing; }everything needed is there (JDK: $JAVA_HOME)"
