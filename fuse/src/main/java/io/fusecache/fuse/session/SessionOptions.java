package io.fusecache.fuse.session;

import io.fusecache.fuse.mount.MountOptions;
import io.fusecache.fuse.wire.InitFlag;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/**
 * How a session is to be.
 *
 * @param features what INIT asks for; the kernel gives what it has. WRITEBACK_CACHE takes PASSTHROUGH's place
 * @param readers threads that read requests, each from its own descriptor
 * @param maxWriteBytes the largest WRITE and READ: a multiple of the page size, at most 1 MiB as kernels stand
 * @param readAheadKib read-ahead of the mount, set after INIT when the process may; 0 leaves the kernel's 128
 * @param maxBackground background requests (read-ahead, asynchronous I/O, RELEASE) the kernel has under way at most
 * @param congestionThreshold from how many on it counts itself congested
 * @param maxStackDepth 1: files of ordinary file systems back passthrough, and overlayfs may use the mount as a layer; 2:
 *     files of overlayfs back it too, and nothing may be stacked on the mount
 * @param largeBuffers of {@code maxWriteBytes}, for WRITE data and READ answers under way, beyond one for each reader
 * @param smallBuffers of 64 KiB, for the same where they suffice, and for listings
 * @param drainTimeout how long close() waits for open files once the mount is out of the tree
 * @param countLookups whether the session counts the kernel's references to nodes: {@link FuseSession#lookups}
 */
public record SessionOptions(
        MountOptions mount,
        Set<InitFlag> features,
        int readers,
        int maxWriteBytes,
        int readAheadKib,
        int maxBackground,
        int congestionThreshold,
        int maxStackDepth,
        int largeBuffers,
        int smallBuffers,
        Duration drainTimeout,
        boolean countLookups) {
    /** What a POSIX file system with its own coherence wants. Locks and ACLs stay with the kernel until asked for. */
    public static final Set<InitFlag> DEFAULT_FEATURES = Set.copyOf(EnumSet.of(
            InitFlag.ASYNC_READ,
            InitFlag.ATOMIC_O_TRUNC,
            InitFlag.EXPORT_SUPPORT,
            InitFlag.BIG_WRITES,
            InitFlag.SPLICE_WRITE,
            InitFlag.SPLICE_MOVE,
            InitFlag.SPLICE_READ,
            InitFlag.HAS_IOCTL_DIR,
            InitFlag.AUTO_INVAL_DATA,
            InitFlag.DO_READDIRPLUS,
            InitFlag.READDIRPLUS_AUTO,
            InitFlag.ASYNC_DIO,
            InitFlag.PARALLEL_DIROPS,
            InitFlag.ABORT_ERROR,
            InitFlag.MAX_PAGES,
            InitFlag.CACHE_SYMLINKS,
            InitFlag.HANDLE_KILLPRIV_V2,
            InitFlag.SETXATTR_EXT,
            InitFlag.INIT_EXT,
            InitFlag.CREATE_SUPP_GROUP,
            InitFlag.HAS_EXPIRE_ONLY,
            InitFlag.DIRECT_IO_ALLOW_MMAP,
            InitFlag.PASSTHROUGH,
            InitFlag.HAS_RESEND));

    private static final int MIB = 1 << 20;
    private static final int PAGE = 4096;

    public SessionOptions {
        features = Set.copyOf(features);
        requireBetween("readers", readers, 1, 64);
        requireBetween("maxWriteBytes", maxWriteBytes, PAGE, MIB);
        requireBetween("maxBackground", maxBackground, 1, 0xffff);
        requireBetween("congestionThreshold", congestionThreshold, 1, maxBackground);
        requireBetween("maxStackDepth", maxStackDepth, 1, 2);
        requireBetween("largeBuffers", largeBuffers, 1, 4096);
        requireBetween("smallBuffers", smallBuffers, 1, 65536);
        if (maxWriteBytes % PAGE != 0) {
            throw new IllegalArgumentException("maxWriteBytes is a multiple of " + PAGE + ", not " + maxWriteBytes);
        }
    }

    private static void requireBetween(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " is from " + least + " to " + most + ", not " + value);
        }
    }

    public static SessionOptions of(MountOptions mount) {
        int processors = Runtime.getRuntime().availableProcessors();
        return new SessionOptions(
                mount,
                DEFAULT_FEATURES,
                Math.clamp(processors, 2, 8),
                MIB,
                4096,
                64,
                48,
                1,
                16,
                64,
                Duration.ofSeconds(5),
                false);
    }

    /** With a feature asked for as well. */
    public SessionOptions with(InitFlag feature) {
        Set<InitFlag> more = EnumSet.copyOf(features);
        more.add(feature);
        return withFeatures(more);
    }

    /** Without a feature. */
    public SessionOptions without(InitFlag feature) {
        Set<InitFlag> fewer = EnumSet.copyOf(features);
        fewer.remove(feature);
        return withFeatures(fewer);
    }

    public SessionOptions withFeatures(Set<InitFlag> value) {
        return new SessionOptions(
                mount,
                value,
                readers,
                maxWriteBytes,
                readAheadKib,
                maxBackground,
                congestionThreshold,
                maxStackDepth,
                largeBuffers,
                smallBuffers,
                drainTimeout,
                countLookups);
    }

    public SessionOptions withReaders(int value) {
        return new SessionOptions(
                mount,
                features,
                value,
                maxWriteBytes,
                readAheadKib,
                maxBackground,
                congestionThreshold,
                maxStackDepth,
                largeBuffers,
                smallBuffers,
                drainTimeout,
                countLookups);
    }

    public SessionOptions withReadAheadKib(int value) {
        return new SessionOptions(
                mount,
                features,
                readers,
                maxWriteBytes,
                value,
                maxBackground,
                congestionThreshold,
                maxStackDepth,
                largeBuffers,
                smallBuffers,
                drainTimeout,
                countLookups);
    }

    public SessionOptions withBackground(int most, int congested) {
        return new SessionOptions(
                mount,
                features,
                readers,
                maxWriteBytes,
                readAheadKib,
                most,
                congested,
                maxStackDepth,
                largeBuffers,
                smallBuffers,
                drainTimeout,
                countLookups);
    }

    public SessionOptions withMaxStackDepth(int value) {
        return new SessionOptions(
                mount,
                features,
                readers,
                maxWriteBytes,
                readAheadKib,
                maxBackground,
                congestionThreshold,
                value,
                largeBuffers,
                smallBuffers,
                drainTimeout,
                countLookups);
    }

    public SessionOptions withBuffers(int large, int small) {
        return new SessionOptions(
                mount,
                features,
                readers,
                maxWriteBytes,
                readAheadKib,
                maxBackground,
                congestionThreshold,
                maxStackDepth,
                large,
                small,
                drainTimeout,
                countLookups);
    }

    public SessionOptions withDrainTimeout(Duration value) {
        return new SessionOptions(
                mount,
                features,
                readers,
                maxWriteBytes,
                readAheadKib,
                maxBackground,
                congestionThreshold,
                maxStackDepth,
                largeBuffers,
                smallBuffers,
                value,
                countLookups);
    }

    public SessionOptions withCountLookups(boolean value) {
        return new SessionOptions(
                mount,
                features,
                readers,
                maxWriteBytes,
                readAheadKib,
                maxBackground,
                congestionThreshold,
                maxStackDepth,
                largeBuffers,
                smallBuffers,
                drainTimeout,
                value);
    }

    /** The bytes that a session takes from its arena, all of them at its start. */
    public long bufferBytes() {
        return BufferPool.bytesOf(this) + ReplyScratch.BYTES;
    }
}
