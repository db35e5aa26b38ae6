package io.fusecache.testkit;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.LocalTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A local tier in memory, for those who only read from one: files with bytes, versions and missing blocks, which change
 * while they are read if a test says so. What writes into the tier is not part of it.
 */
public final class ServedFiles implements LocalTier {
    private final ConcurrentHashMap<Long, Served> files = new ConcurrentHashMap<>();
    private final AtomicInteger pins = new AtomicInteger();
    private volatile Runnable beforeRead = () -> {};
    private volatile Runnable afterRead = () -> {};

    /** Holds all of a version whose bytes these are, sealed or not. Returns the version. */
    public FileVersion hold(long ino, long version, int blockBytes, byte[] bytes, boolean sealed) {
        FileVersion unsealed = new FileVersion(ino, version, bytes.length, blockBytes, null, null);
        int[] checksums = new int[unsealed.blocks()];
        for (int i = 0; i < checksums.length; i++) {
            ByteBuffer block = ByteBuffer.allocateDirect(unsealed.bytesInBlock(i));
            block.put(bytes, i * blockBytes, block.capacity()).flip();
            checksums[i] = BlockChecksum.of(MemorySegment.ofBuffer(block));
        }
        FileVersion whole =
                sealed ? new FileVersion(ino, version, bytes.length, blockBytes, checksums, null) : unsealed;
        BitSet present = new BitSet();
        present.set(0, whole.blocks());
        files.put(ino, new Served(whole, bytes.clone(), present));
        return whole;
    }

    public void lose(long ino, int block) {
        served(ino).present.clear(block);
    }

    /** As an open for writing does. */
    public void beginWriting(long ino) {
        served(ino).writing = true;
    }

    /** Makes the verification of that block fail, as for bytes that rotted on disk. */
    public void rot(long ino, int block) {
        served(ino).rotten.set(block);
    }

    /** Run in each read before the bytes are taken. */
    public void beforeRead(Runnable hook) {
        beforeRead = hook;
    }

    /** Run in each read after the bytes were taken. */
    public void afterRead(Runnable hook) {
        afterRead = hook;
    }

    /** Pins that were not given back. */
    public int pins() {
        return pins.get();
    }

    private Served served(long ino) {
        Served served = files.get(ino);
        if (served == null) {
            throw new AssertionError("no file " + ino);
        }
        return served;
    }

    private static final class Served {
        private final FileVersion version;
        private final byte[] bytes;
        private final BitSet present;
        private final BitSet rotten = new BitSet();
        private volatile boolean writing;

        Served(FileVersion version, byte[] bytes, BitSet present) {
            this.version = version;
            this.bytes = bytes;
            this.present = present;
        }
    }

    @Override
    public Optional<CachedFile> find(long ino) {
        if (!files.containsKey(ino)) {
            return Optional.empty();
        }
        pins.incrementAndGet();
        return Optional.of(new Pin(ino));
    }

    @Override
    public CachedFile create(FileVersion version) {
        throw readOnly();
    }

    @Override
    public void discard(long ino) {
        files.remove(ino);
    }

    @Override
    public List<Unpersisted> unpersisted() {
        return List.of();
    }

    @Override
    public boolean hasRoom(long bytes) {
        return false;
    }

    @Override
    public Usage usage() {
        throw readOnly();
    }

    @Override
    public List<CachedFileSummary> files(int limit) {
        throw readOnly();
    }

    @Override
    public void close() {
        files.clear();
    }

    private static AssertionError readOnly() {
        return new AssertionError("this fake is only read from");
    }

    /** Looks at what the tier holds now, whatever it held when it was pinned: as a shared record does. */
    private final class Pin implements CachedFile {
        private final long ino;

        Pin(long ino) {
            this.ino = ino;
        }

        @Override
        public long ino() {
            return ino;
        }

        @Override
        public int incarnation() {
            return 0;
        }

        @Override
        public FileVersion version() {
            return served(ino).version;
        }

        @Override
        public boolean whole() {
            return served(ino).present.cardinality() == version().blocks();
        }

        @Override
        public boolean writing() {
            return served(ino).writing;
        }

        @Override
        public BitSet present() {
            return (BitSet) served(ino).present.clone();
        }

        @Override
        public ReadOutcome read(long offset, MemorySegment target) {
            beforeRead.run();
            Served served = served(ino);
            int count = (int) Math.max(0, Math.min(target.byteSize(), served.bytes.length - offset));
            int blockBytes = served.version.blockBytes();
            for (long block = offset / blockBytes; block * blockBytes < offset + count; block++) {
                if (!served.present.get((int) block)) {
                    return new ReadOutcome.Miss();
                }
            }
            MemorySegment.copy(served.bytes, (int) offset, target, ValueLayout.JAVA_BYTE, 0, count);
            afterRead.run();
            return new ReadOutcome.Hit(count);
        }

        @Override
        public boolean verify(int firstBlock, int count) {
            Served served = served(ino);
            int rotten = served.rotten.nextSetBit(firstBlock);
            if (rotten < 0 || rotten >= firstBlock + count) {
                return true;
            }
            served.present.clear(rotten);
            return false;
        }

        @Override
        public boolean verified() {
            return served(ino).rotten.isEmpty();
        }

        @Override
        public void close() {
            pins.decrementAndGet();
        }

        @Override
        public Path path() {
            throw readOnly();
        }

        @Override
        public Disk.DiskFile file() {
            throw readOnly();
        }

        @Override
        public void store(int block, MemorySegment bytes) {
            throw readOnly();
        }

        @Override
        public void drop(int block) {
            throw readOnly();
        }

        @Override
        public void beginWriting() {
            throw readOnly();
        }

        @Override
        public void dirtied(int firstBlock, int lastBlock) {
            throw readOnly();
        }

        @Override
        public void committed(FileVersion version, boolean stillOpen) {
            throw readOnly();
        }

        @Override
        public void sealed(long version, int[] checksums) {
            throw readOnly();
        }

        @Override
        public void persisted(FileVersion version) {
            throw readOnly();
        }

        @Override
        public void unpersisted(long version) {
            throw readOnly();
        }

        @Override
        public int[] checksum(long size, int blockBytes) throws IOException {
            throw readOnly();
        }

        @Override
        public void sync(boolean dataOnly) {
            throw readOnly();
        }

        @Override
        public void supersede() {
            throw readOnly();
        }
    }
}
