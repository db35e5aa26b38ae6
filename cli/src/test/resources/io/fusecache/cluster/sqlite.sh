# Three writers at once on a database of every journal mode. Prints what must be the same wherever it runs.
for mode in delete truncate persist memory wal; do
  sqlite3 $mode.db "PRAGMA journal_mode = $mode; CREATE TABLE t(id INTEGER PRIMARY KEY, writer TEXT, text TEXT);"
  writers=
  for writer in a b c; do
    (
      i=0
      while [ $i -lt 8 ]; do
        # All but WAL are a property of the connection, so that each has to choose it.
        sqlite3 -bail -cmd '.timeout 120000' $mode.db "PRAGMA journal_mode = $mode; BEGIN IMMEDIATE;
          INSERT INTO t(writer, text)
            WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100)
            SELECT '$writer', x || hex(randomblob(100)) FROM n;
          COMMIT;" > /dev/null
        i=$((i + 1))
      done
    ) &
    writers="$writers $!"
  done
  for writer in $writers; do wait "$writer"; done
  sqlite3 $mode.db 'SELECT writer, count(*) FROM t GROUP BY writer; PRAGMA integrity_check;'
done
