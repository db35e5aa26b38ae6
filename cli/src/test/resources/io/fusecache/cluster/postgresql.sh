# PostgreSQL under load, stopped in the middle of it as by a loss of power, recovered and checked. $1 is the directory of its data.
# Runs in namespaces of its own (unshare --mount --pid --ipc --fork --kill-child), so that nothing of it outlives this script.
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
# The server refuses to run as root, and whom it runs as need not reach the mount by its path.
mount -t tmpfs none /mnt
mkdir /mnt/data /mnt/run
chown nobody /mnt/run "$1"
mount --bind "$1" /mnt/data
as_nobody() {
  setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups \
    env HOME=/mnt/run PATH="$bin:$PATH" PGHOST=/mnt/run PGUSER=postgres PGDATABASE=postgres PGDATA=/mnt/data/db LC_ALL=C "$@"
}
start() {
  as_nobody pg_ctl -s -w -t 300 -l /mnt/run/log start -o "-c listen_addresses= -c unix_socket_directories=/mnt/run" ||
    { cat /mnt/run/log; exit 1; }
}
value() { as_nobody psql -X -A -t -q -v ON_ERROR_STOP=1 -c "$1"; }
# Every transaction of pgbench adds one delta to one row of each of three tables and to the history.
consistent() {
  as_nobody pg_amcheck --all --install-missing --heapallindexed --parent-check
  test "$(value 'SELECT count(*) FROM (SELECT sum(abalance) FROM pgbench_accounts UNION SELECT sum(bbalance) FROM pgbench_branches
    UNION SELECT sum(tbalance) FROM pgbench_tellers UNION SELECT coalesce(sum(delta), 0) FROM pgbench_history) sums')" = 1
}

cd /mnt/run
as_nobody initdb -k -U postgres -A trust > initdb.log
start
as_nobody pgbench -i -q -s 5 2> pgbench.log
as_nobody pgbench -n -c 4 -j 2 -T 600 > load.log 2>&1 &
load=$!
committed=0
while [ "$committed" -lt 300 ]; do committed=$(value 'SELECT count(*) FROM pgbench_history'); done
as_nobody pg_ctl -s -m immediate stop
if wait $load; then
  echo 'the load went on without its server'
  exit 1
fi
as_nobody pg_controldata | grep 'cluster state'
start
grep -o 'database system was not properly shut down' log
test "$(value 'SELECT count(*) FROM pgbench_history')" -ge "$committed"
consistent
as_nobody pgbench -n -c 4 -j 2 -t 50 | grep 'actually processed'
consistent
as_nobody pg_ctl -s -m fast stop
as_nobody pg_checksums --check | grep -v scanned
