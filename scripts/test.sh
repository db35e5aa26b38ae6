#!/bin/sh
# Builds and tests everything, and closes with one line: 'N passed, N failed', and ', N skipped' where some were.
# The counts are those of the reports that this run wrote. A build that breaks before its tests counts as one failure.
# A test that fails is run once more: who fails twice has failed, who passes then is named as unsteady, and is a fault to find.
set -eu
cd -- "$(dirname -- "$0")/.."
. scripts/lib/jdk.sh

mkdir -p target
log=target/test.log
find . -path './*/target/*-reports/*' -name '*.xml' -exec rm -f {} +

# The clusters of the integration tests live on an ext4 in memory where that can be had: they kill processes, not machines, and
# would wait for the disk most of the time. What is freed there goes back to the memory (discard).
clusters=cli/target/clusters
image_bytes=8G
needed_kib=$((14 * 1024 * 1024))
on_memory() {
  [ "$(id -u)" = 0 ] || return 1
  [ "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" -ge "$needed_kib" ] || return 1
  [ "$(df --output=avail /dev/shm | tail -1)" -ge "$needed_kib" ] || return 1
  image=$(mktemp /dev/shm/fusecache-test.XXXXXX) || return 1
  mkdir -p "$clusters"
  # The loop device holds the file, which so ends with the mount, however this run ends.
  truncate -s "$image_bytes" "$image" && mkfs.ext4 -q -i 8192 -O '^has_journal' "$image" &&
    mount -o loop,discard "$image" "$clusters"
  status=$?
  rm -f "$image"
  return "$status"
}
off_memory() {
  ! mountpoint -q "$clusters" || umount "$clusters" || umount -l "$clusters"
}
off_memory
trap off_memory EXIT
trap 'exit 130' INT TERM
if on_memory 2>/dev/null; then
  echo "test: $clusters is on an ext4 in memory"
else
  echo "test: $clusters is on the disk (an ext4 in memory takes root, a loop device and 14 GiB that are free)"
fi

# Failing tests do not end the run, so that one run shows them all; the counts below decide.
{
  scripts/mvn -Dmaven.test.failure.ignore=true -Dtest.reruns=1 verify "$@" 2>&1 ||
    echo "[ERROR] the build ended with status $?"
} | tee "$log"

# The root elements of the reports: <testsuite ... tests="3" errors="0" skipped="0" failures="0" ...>
counts=$(find . -path './*/target/*-reports/*' -name 'TEST-*.xml' -exec cat {} + | tr '\n' ' ' | grep -o '<testsuite [^>]*>' |
  awk '
    function attribute(name) { return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3) + 0 : 0 }
    { tests += attribute("tests"); failed += attribute("errors") + attribute("failures"); skipped += attribute("skipped") }
    END { printf "%d %d %d\n", tests - failed - skipped, failed, skipped }')
read -r passed failed skipped <<COUNTS
$counts
COUNTS

# What the reports say of the elements $1: file, test, and the beginning of the message. The reports have the rest.
told() {
  find . -path './*/target/*-reports/*' -name 'TEST-*.xml' -exec grep -lE "<($1)[ >]" {} + |
    while read -r report; do
      echo "  $report"
      grep -E "<testcase |<($1)[ >]" "$report" | awk '
        /<testcase / { match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8); next }
        { match($0, / message="[^"]*"/); print "    " name ": " substr($0, RSTART + 10, RLENGTH > 11 ? RLENGTH - 11 : 0) }' |
        sed 's/&#10;/ | /g; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&apos;/'"'"'/g; s/&amp;/\&/g' | cut -c1-1500
    done
}

unsteady=$(told 'flakyFailure|flakyError')
if [ -n "$unsteady" ]; then
  echo
  echo "Unsteady: failed, and passed when run once more:"
  echo "$unsteady"
fi
if [ "$failed" -gt 0 ]; then
  echo
  echo "Failed:"
  told 'failure|error'
elif grep '^\[ERROR\]' "$log" | grep -qvE 'Tests run:|<<< (FAILURE|ERROR)!|^\[ERROR\]   Run [0-9]+: ' ||
  ! grep -q 'BUILD SUCCESS' "$log"; then
  echo
  echo "The build broke outside of its tests: see the first [ERROR] above, or in $log"
  failed=1
elif [ "$passed" -eq 0 ]; then
  echo "No test ran"
  failed=1
fi

summary="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
echo
echo "$summary"
[ "$failed" -eq 0 ]
