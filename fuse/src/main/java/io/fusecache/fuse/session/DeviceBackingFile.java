package io.fusecache.fuse.session;

import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A backing file registered with the device. */
final class DeviceBackingFile implements BackingFile {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceBackingFile.class);

    /** _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t). */
    private static final long IOC_BACKING_OPEN = 0x4010e501L;

    private static final long IOC_BACKING_CLOSE = 0x4004e502L;

    private final int device;
    private final DescriptorGate gate;
    private final int id;
    private final AtomicBoolean closed = new AtomicBoolean();

    private DeviceBackingFile(int device, DescriptorGate gate, int id) {
        this.device = device;
        this.gate = gate;
        this.id = id;
    }

    static DeviceBackingFile open(int device, DescriptorGate gate, int fd) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(16, 8);
            map.set(ValueLayout.JAVA_INT, 0, fd);
            int answer = ioctl(device, gate, IOC_BACKING_OPEN, map);
            if (answer < 0) {
                throw new PosixException("registering a backing file:", -answer, explain(-answer));
            }
            return new DeviceBackingFile(device, gate, answer);
        }
    }

    private static String explain(int errno) {
        return switch (errno) {
            case Errno.EPERM -> "passthrough is off, or this process lacks CAP_SYS_ADMIN";
            case Errno.ELOOP ->
                "its file system is stacked (overlayfs): keep it on a plain one, or raise the stack depth";
            case Errno.EOPNOTSUPP, Errno.EINVAL ->
                "only regular files of a file system that reads and writes by itself";
            case Errno.EBADF -> "not an open descriptor";
            case Errno.ENODEV -> "the session is closed";
            default -> "the kernel refuses";
        };
    }

    private static int ioctl(int device, DescriptorGate gate, long request, MemorySegment argument) {
        if (!gate.enter()) {
            return -Errno.ENODEV;
        }
        try {
            return Linux.ioctl(device, request, argument);
        } finally {
            gate.leave();
        }
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(ValueLayout.JAVA_INT);
            argument.set(ValueLayout.JAVA_INT, 0, id);
            int answer = ioctl(device, gate, IOC_BACKING_CLOSE, argument);
            // A connection that is gone has dropped all of them.
            if (answer < 0 && answer != -Errno.ENODEV && answer != -Errno.EPERM) {
                LOG.warn("giving back backing file {} failed: {}", id, Errno.name(-answer));
            }
        }
    }
}
