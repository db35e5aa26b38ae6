package io.fusecache.coordinator.state;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Slice;

/**
 * A snapshot of the database. It is native memory: one thread at a time is in it, so that whoever closes it, or the database,
 * waits for that one. Scans should be short.
 */
final class StoreSnapshot implements Snapshot {
    private final RocksDB db;
    private final org.rocksdb.Snapshot snapshot;
    private final ReadOptions options;
    private final Consumer<StoreSnapshot> closed;
    private boolean over;

    StoreSnapshot(RocksDB db, Consumer<StoreSnapshot> closed) {
        this.db = db;
        this.closed = closed;
        snapshot = db.getSnapshot();
        options = new ReadOptions().setSnapshot(snapshot).setFillCache(false);
    }

    @Override
    public synchronized byte @Nullable [] get(byte[] key) {
        checkOpen();
        try {
            return db.get(options, key);
        } catch (RocksDBException e) {
            throw new StateStore.StateException(e);
        }
    }

    @Override
    public synchronized void scan(byte[] from, byte[] to, Visitor visitor) {
        checkOpen();
        try (Slice end = new Slice(to);
                ReadOptions bounded = new ReadOptions()
                        .setSnapshot(snapshot)
                        .setFillCache(false)
                        .setIterateUpperBound(end);
                var entries = db.newIterator(bounded)) {
            for (entries.seek(from); entries.isValid(); entries.next()) {
                if (!visitor.visit(entries.key(), entries.value())) {
                    return;
                }
            }
            entries.status();
        } catch (RocksDBException e) {
            throw new StateStore.StateException(e);
        }
    }

    private void checkOpen() {
        if (over) {
            throw new IllegalStateException("the snapshot, or the state that it is of, is closed");
        }
    }

    @Override
    public void close() {
        end();
        closed.accept(this);
    }

    /** The database ends. */
    synchronized void end() {
        if (!over) {
            over = true;
            options.close();
            db.releaseSnapshot(snapshot);
        }
    }
}
