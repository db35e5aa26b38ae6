package io.fusecache.tiers.nvme;

import io.fusecache.cache.CachedFile;
import io.fusecache.cache.Disk;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicBoolean;

/** One pin of a {@link BackingFile}: the same methods, until it is given back, once. */
final class PinnedFile implements CachedFile {
    private final NvmeTier tier;
    private final BackingFile backing;
    private final AtomicBoolean closed = new AtomicBoolean();

    PinnedFile(NvmeTier tier, BackingFile backing) {
        this.tier = tier;
        this.backing = backing;
    }

    private BackingFile open() {
        if (closed.get()) {
            throw new IllegalStateException("the pin of " + backing.entry().path + " was given back");
        }
        return backing;
    }

    @Override
    public long ino() {
        return backing.entry().ino;
    }

    @Override
    public int incarnation() {
        return backing.entry().incarnation;
    }

    @Override
    public Path path() {
        return backing.entry().path;
    }

    @Override
    public Disk.DiskFile file() {
        return open().file();
    }

    @Override
    public FileVersion version() {
        return open().version();
    }

    @Override
    public boolean whole() {
        return open().whole();
    }

    @Override
    public boolean writing() {
        return open().writing();
    }

    @Override
    public BitSet present() {
        return open().present();
    }

    @Override
    public void store(int block, MemorySegment bytes) throws IOException {
        open().store(block, bytes);
    }

    @Override
    public ReadOutcome read(long offset, MemorySegment target) throws IOException {
        return open().read(offset, target);
    }

    @Override
    public boolean verify(int firstBlock, int count) throws IOException {
        return open().verify(firstBlock, count);
    }

    @Override
    public boolean verified() {
        return open().verified();
    }

    @Override
    public void drop(int block) throws IOException {
        open().drop(block);
    }

    @Override
    public void beginWriting() throws IOException {
        open().beginWriting();
    }

    @Override
    public void dirtied(int firstBlock, int lastBlock) throws IOException {
        open().dirtied(firstBlock, lastBlock);
    }

    @Override
    public void committed(FileVersion version, boolean stillOpen) throws IOException {
        open().committed(version, stillOpen);
    }

    @Override
    public void sealed(long version, int[] checksums) throws IOException {
        open().sealed(version, checksums);
    }

    @Override
    public void persisted(FileVersion version) throws IOException {
        open().persisted(version);
    }

    @Override
    public void unpersisted(long version) throws IOException {
        open().unpersisted(version);
    }

    @Override
    public int[] checksum(long size, int blockBytes) throws IOException {
        return open().checksum(size, blockBytes);
    }

    @Override
    public void sync(boolean dataOnly) throws IOException {
        open().sync(dataOnly);
    }

    @Override
    public void supersede() {
        tier.index().supersede(open().entry());
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            tier.unpin(backing.entry());
        }
    }

    @Override
    public String toString() {
        return "pin of " + backing.entry().path;
    }
}
