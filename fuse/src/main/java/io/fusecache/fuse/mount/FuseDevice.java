package io.fusecache.fuse.mount;

import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** /dev/fuse: opening it, and joining further descriptors to a connection. */
public final class FuseDevice {
    public static final Path PATH = Path.of("/dev/fuse");

    /** _IOR(229, 0, uint32_t): joins a newly opened descriptor to the connection of another. */
    private static final long IOC_CLONE = 0x8004e500L;

    private FuseDevice() {}

    /** Opens the device; the descriptor is the caller's. */
    public static int open() throws MountException {
        int fd = Posix.open(PATH.toString(), Posix.O_RDWR, 0);
        if (fd < 0) {
            throw new MountException(explain(PATH, -fd));
        }
        return fd;
    }

    /**
     * A further descriptor of the connection that {@code fd} belongs to, for a reader of its own: requests read from it
     * are answered on it.
     */
    public static int cloneOf(int fd) throws MountException, PosixException {
        int copy = open();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(ValueLayout.JAVA_INT);
            argument.set(ValueLayout.JAVA_INT, 0, fd);
            int answer = Linux.ioctl(copy, IOC_CLONE, argument);
            if (answer < 0) {
                Posix.close(copy);
                throw new PosixException("ioctl(FUSE_DEV_IOC_CLONE)", -answer, PATH.toString());
            }
            return copy;
        }
    }

    static String explain(Path device, int errno) {
        return switch (errno) {
            case Errno.ENOENT ->
                device + " is not there: load the kernel's module (modprobe fuse), or give the container the device"
                        + " (docker run --device " + device + ", or privileged in Kubernetes)";
            case Errno.ENODEV, Errno.ENXIO -> device + " is there, but the kernel has no FUSE behind it: modprobe fuse";
            case Errno.EACCES, Errno.EPERM ->
                device + " cannot be opened by this user: run as root, or chmod 0666 " + device
                        + "; in a container also allow the device (--device " + device + ")";
            default -> device + " cannot be opened: " + Errno.name(errno);
        };
    }
}
