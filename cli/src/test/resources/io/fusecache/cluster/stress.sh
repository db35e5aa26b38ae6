# The stressors of stress-ng that are named after the directory $1, each in a directory of its own there, each verifying what it
# does for a second, four at a time. chdir makes its directories before its time begins, 8,192 unless it is told otherwise.
mount=$1
shift
printf '%s\n' "$@" | xargs -P 4 -I '{}' sh -eu -c '
  mkdir "$1/{}"
  stress-ng --{} 1 --timeout 1s --chdir-dirs 256 --verify --temp-path "$1/{}" > {}.log 2>&1 || { cat {}.log; exit 255; }
  if grep -E "skipping|skipped: [1-9]|failed: [1-9]|fail:|failed at|unsuccessful" {}.log; then exit 255; fi
  rmdir "$1/{}"' sh "$mount"
echo 'nothing found'
