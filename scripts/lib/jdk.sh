# Sourced. Sets JAVA_HOME to a JDK 25 and exports it, or says how to get one and returns 1.
# Order: the caller's JAVA_HOME if it is a 25, what is under /usr/lib/jvm, what `java` on the PATH belongs to,
# and at last Debian's packages, where we are root.

is_jdk25() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] && grep -q '^JAVA_VERSION="25' "$1/release"
}

find_jdk25() {
  for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /opt/jdk-25* /opt/java/openjdk; do
    if [ -n "$candidate" ] && is_jdk25 "$candidate"; then
      JAVA_HOME=$candidate
      return 0
    fi
  done
  if javac_path=$(command -v javac); then
    candidate=$(readlink -f "$javac_path")
    candidate=${candidate%/bin/javac}
    if is_jdk25 "$candidate"; then
      JAVA_HOME=$candidate
      return 0
    fi
  fi
  return 1
}

install_jdk25() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  apt-get update -qq >&2 || return 1
  for package in openjdk-25-jdk-headless temurin-25-jdk; do
    if apt-cache show "$package" >/dev/null 2>&1; then
      echo "JDK 25: installing $package" >&2
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2 && return 0
    fi
  done
  return 1
}

if ! find_jdk25 && ! { install_jdk25 && find_jdk25; }; then
  echo "fuse-cache needs a JDK 25: install openjdk-25-jdk or temurin-25-jdk, or unpack one and set JAVA_HOME to it" >&2
  return 1 2>/dev/null || exit 1
fi
export JAVA_HOME
