package io.fusecache.coordinator.state;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Checkpoint;
import org.rocksdb.CompressionType;
import org.rocksdb.IndexType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Slice;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state in RocksDB, in one folder.
 *
 * <p>Memory is bounded: a block cache, and two write buffers. Writes go to the write-ahead log without a sync, which
 * survives a kill of this process; {@link #sync} makes all of them survive a crash of the machine. A folder of another format
 * is refused ({@link StateFormat}).
 */
public final class StateStore implements View, AutoCloseable {
    private static final long BLOCK_CACHE_BYTES = 128L << 20;
    /** A block that is larger than one of its sixteen parts is read from disk each time. */
    private static final int BLOCK_CACHE_PART_BITS = 4;

    private static final int FILTER_BLOCK_BYTES = 4 << 10;
    private static final long WRITE_BUFFER_BYTES = 32L << 20;
    private static final int WRITE_BUFFERS = 2;

    /** What the database takes at most, outside of the heap. */
    public static final long MEMORY_BYTES = BLOCK_CACHE_BYTES + WRITE_BUFFERS * WRITE_BUFFER_BYTES;

    private static final Logger LOG = LoggerFactory.getLogger(StateStore.class);

    private final RocksDB db;
    private final Options options;
    private final LRUCache cache;
    private final BloomFilter bloom;
    private final WriteOptions unsynced = new WriteOptions();
    private final DurableMark mark;

    private final Set<StoreSnapshot> snapshots = ConcurrentHashMap.newKeySet();

    /** What is listed by when it is due, and limits, which every command asks for. */
    private final QueueHeads heads = new QueueHeads('Q', 'T', 'e', 'w');

    private StateStore(RocksDB db, Options options, LRUCache cache, BloomFilter bloom, DurableMark mark) {
        this.db = db;
        this.mark = mark;
        this.options = options;
        this.cache = cache;
        this.bloom = bloom;
    }

    /** Opens or creates; every failure is one line that names the folder. */
    public static StateStore open(Path folder) throws IOException {
        return open(folder, BLOCK_CACHE_BYTES);
    }

    static StateStore open(Path folder, long blockCacheBytes) throws IOException {
        try {
            Files.createDirectories(folder);
            NativeLibrary.load(folder);
        } catch (FileSystemException e) {
            throw new IOException("data directory " + folder + " cannot be used: " + e, e);
        }
        StateFormat.check(folder, folder);
        LRUCache cache = new LRUCache(blockCacheBytes, BLOCK_CACHE_PART_BITS);
        BloomFilter bloom = new BloomFilter(10, false);
        Options options = new Options()
                .setCreateIfMissing(true)
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setMaxWriteBufferNumber(WRITE_BUFFERS)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setMaxOpenFiles(256)
                .setKeepLogFileNum(2)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(cache)
                        .setFilterPolicy(bloom)
                        // The filter of a large file is of megabytes: in small blocks, only what is asked for is read.
                        .setPartitionFilters(true)
                        .setIndexType(IndexType.kTwoLevelIndexSearch)
                        .setMetadataBlockSize(FILTER_BLOCK_BYTES)
                        .setCacheIndexAndFilterBlocks(true)
                        .setPinL0FilterAndIndexBlocksInCache(true));
        RocksDB db = null;
        DurableMark mark;
        try {
            db = RocksDB.open(options, folder.toString());
            mark = DurableMark.open(folder);
        } catch (RocksDBException | IOException e) {
            if (db != null) {
                db.close();
            }
            options.close();
            bloom.close();
            cache.close();
            throw new IOException("data directory " + folder + " cannot be used: " + reason(e), e);
        }
        StateStore store = new StateStore(db, options, cache, bloom, mark);
        try {
            store.number();
        } catch (IOException e) {
            store.close();
            throw e;
        }
        return store;
    }

    private static String reason(Exception e) {
        String message = String.valueOf(e.getMessage());
        Status status = e instanceof RocksDBException of ? of.getStatus() : null;
        if (message.contains("lock ")) {
            return "another coordinator runs on it";
        }
        return status != null && status.getCode() == Status.Code.Corruption ? "it is damaged: " + message : message;
    }

    /** A new one, and one of before there were numbers, gets its format's. */
    private void number() throws IOException {
        if (get(Keys.format()) == null) {
            Changes first = new Changes(this);
            first.put(Keys.format(), StateFormat.record(StateFormat.NEWEST));
            write(first);
            sync();
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        try {
            return db.get(key);
        } catch (RocksDBException e) {
            throw new StateException(e);
        }
    }

    @Override
    public void scan(byte[] from, byte[] to, Visitor visitor) {
        QueueHeads.Start start = heads.start(from);
        if (Arrays.compareUnsigned(start.key(), to) >= 0) {
            return;
        }
        try (Slice end = new Slice(to);
                ReadOptions bounded = new ReadOptions().setIterateUpperBound(end);
                var entries = db.newIterator(bounded)) {
            entries.seek(start.key());
            entries.status();
            heads.found(start, entries.isValid() ? entries.key() : to);
            for (; entries.isValid(); entries.next()) {
                if (!visitor.visit(entries.key(), entries.value())) {
                    return;
                }
            }
            entries.status();
        } catch (RocksDBException e) {
            throw new StateException(e);
        }
    }

    /** Applies a batch, whole or not at all; durable with the next {@link #sync}. */
    void write(Changes changes) throws IOException {
        write(changes.entries());
    }

    /** The same; of two changes of one key the later counts. */
    public void write(Iterable<Map.Entry<byte[], byte @Nullable []>> changes) throws IOException {
        try (WriteBatch batch = new WriteBatch()) {
            for (Map.Entry<byte[], byte @Nullable []> change : changes) {
                byte[] value = change.getValue();
                if (value == null) {
                    batch.delete(change.getKey());
                } else {
                    batch.put(change.getKey(), value);
                }
            }
            db.write(unsynced, batch);
            for (Map.Entry<byte[], byte @Nullable []> change : changes) {
                if (change.getValue() != null) {
                    heads.put(change.getKey());
                }
            }
        } catch (RocksDBException e) {
            throw new IOException("the state cannot be written: " + e.getMessage(), e);
        }
    }

    /** For one thread at a time. */
    void sync() throws IOException {
        long upTo = db.getLatestSequenceNumber();
        try {
            db.syncWal();
        } catch (RocksDBException e) {
            throw new IOException("the state cannot be made durable: " + e.getMessage(), e);
        }
        mark.write(upTo);
    }

    /** Makes a durable copy of the state as it is, in a folder that must not exist yet; it takes links to files that never change. */
    public void checkpoint(Path copy) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.create(db)) {
            checkpoint.createCheckpoint(copy.toString());
        } catch (RocksDBException e) {
            throw new IOException("no snapshot can be made at " + copy + ": " + e.getMessage(), e);
        }
    }

    /** The state as it is now, kept until it is closed. */
    public Snapshot snapshot() {
        StoreSnapshot snapshot = new StoreSnapshot(db, snapshots::remove);
        snapshots.add(snapshot);
        return snapshot;
    }

    /** What it takes on disk and in memory, for people. */
    public Map<String, Long> sizes() {
        try {
            return Map.of(
                    "disk_bytes",
                    db.getLongProperty("rocksdb.total-sst-files-size"),
                    "memory_bytes",
                    db.getLongProperty("rocksdb.cur-size-all-mem-tables")
                            + db.getLongProperty("rocksdb.block-cache-usage"));
        } catch (RocksDBException e) {
            throw new StateException(e);
        }
    }

    @Override
    public void close() {
        List.copyOf(snapshots).forEach(StoreSnapshot::end);
        try {
            mark.close();
        } catch (IOException unforced) {
            LOG.warn("how far the log is durable is not on disk: {}", unforced.toString());
        }
        db.close();
        unsynced.close();
        options.close();
        bloom.close();
        cache.close();
    }

    /** The state cannot be read: nothing that depends on it can go on. */
    public static final class StateException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StateException(RocksDBException cause) {
            super("the state cannot be read: " + cause.getMessage(), cause);
        }
    }
}
