package io.fusecache.cache;

import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * One incarnation of one inode on NVMe, pinned by whoever has this object. The pins of one incarnation share its open
 * file and record.
 *
 * <p>Its life: <em>filling</em> (blocks of a committed version arrive) -> <em>whole</em> -> <em>writing</em>
 * ({@link #beginWriting}) -> <em>whole or filling</em> at a new version ({@link #committed}). Methods are atomic against
 * each other; none holds a lock while it waits for the disk's data.
 */
public interface CachedFile extends AutoCloseable {
    long ino();

    /** 0 to 65535, unique among the live incarnations of the inode; the kernel's node id carries it. */
    int incarnation();

    Path path();

    /** The open backing file, shared, open while pinned. */
    Disk.DiskFile file();

    /** The committed version that the record describes; while writing, the base. */
    FileVersion version();

    /** All blocks are present, by the record. Not yet the right to pass it through: see {@link #verify}. */
    boolean whole();

    boolean writing();

    /** A copy. */
    BitSet present();

    /**
     * Stores one block that was fetched: checks the length and, where the version is sealed, the CRC32C before anything
     * is written, and records the block as present after. A block that is there already or was dirtied meanwhile is kept.
     *
     * @throws CorruptBlockException where the checksum differs; nothing is stored
     */
    void store(int block, MemorySegment bytes) throws IOException;

    /**
     * Reads from blocks that are present; Miss where one is not. Fewer bytes than asked for only at the end of the
     * content. Verifies nothing: see {@link #verify}.
     */
    ReadOutcome read(long offset, MemorySegment target) throws IOException;

    /**
     * Checks the bytes of present blocks in the range against the checksums, once per process for each block that came
     * from before this process; a block that is wrong is dropped (its bytes are punched out, it is not present any more)
     * and counted. True where all were right. A whole file is passed through only after this was true for all of it.
     */
    boolean verify(int firstBlock, int count) throws IOException;

    /** Whether {@link #verify} of all of it would be true without reading anything. Never blocks. */
    boolean verified();

    /** Drops one block that turned out wrong. */
    void drop(int block) throws IOException;

    /**
     * Marks it as being written, durably where it holds committed bytes, before the first write may happen. From now on
     * it is unpersisted and never evicted.
     */
    void beginWriting() throws IOException;

    /**
     * While writing through the daemon into a file that is not whole: these blocks get bytes of ours and are present from
     * now on, whatever the base has. To be called before the bytes are written (or truncated away), and for a block
     * that is written in part only once the base's bytes are here: waits for a {@link #store} of them that is under way,
     * and later ones are ignored. At the commit every block that differs from the base must have been named.
     */
    void dirtied(int firstBlock, int lastBlock) throws IOException;

    /**
     * The new committed version has these bytes. {@code stillOpen}: writing goes on on top of it. The same version again
     * ends a writing that changed nothing.
     */
    void committed(FileVersion version, boolean stillOpen) throws IOException;

    /**
     * Checksums of that committed version are known now (kept for a later verify). Nothing happens where it is not the
     * version here any more.
     */
    void sealed(long version, int[] checksums) throws IOException;

    /** The bucket has that version: if it is still the one here, it may be evicted from now on. */
    void persisted(FileVersion version) throws IOException;

    /**
     * The bucket has that version no more: if it is still the one here, it is this node's to keep from now on, as what was committed
     * here, until it is {@link #persisted} again. Its blocks are as they are: whoever wants all of them kept makes it whole before.
     */
    void unpersisted(long version) throws IOException;

    /** Computes the CRC32C of each block from the bytes on disk; EOFException where the file is shorter. */
    int[] checksum(long size, int blockBytes) throws IOException;

    /** Makes data and record durable (fsync). */
    void sync(boolean dataOnly) throws IOException;

    /** Another incarnation took over: remove this one when its last pin is closed. Its unpersisted bytes go too. */
    void supersede() throws IOException;

    /** Gives the pin back. */
    @Override
    void close();
}
