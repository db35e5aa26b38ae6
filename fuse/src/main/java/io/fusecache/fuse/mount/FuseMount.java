package io.fusecache.fuse.mount;

import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A FUSE file system mounted on a directory, with the device descriptor that serves it.
 *
 * <p>By mount(2) where this process may, else by fusermount3. The kernel answers no request on it, stat(2) of the mount
 * point included, until someone has read INIT from the descriptor and answered it.
 */
public final class FuseMount {
    private final Path mountPoint;
    private final int fd;
    private final boolean byFusermount;

    private FuseMount(Path mountPoint, int fd, boolean byFusermount) {
        this.mountPoint = mountPoint;
        this.fd = fd;
        this.byFusermount = byFusermount;
    }

    /**
     * Mounts.
     *
     * @throws MountException with one line that says why not, and what to do
     */
    public static FuseMount mount(Path mountPoint, MountOptions options) throws MountException {
        Path directory = checked(mountPoint);
        if (Linux.effectiveUser() != 0) {
            return new FuseMount(directory, Fusermount.mount(directory, options), true);
        }
        int fd = FuseDevice.open();
        int answer = mount2(directory, options, fd);
        if (answer == 0) {
            return new FuseMount(directory, fd, false);
        }
        Posix.close(fd);
        if (answer == -Errno.EPERM && Fusermount.isInstalled()) {
            return new FuseMount(directory, Fusermount.mount(directory, options), true);
        }
        String message = explain(directory, -answer);
        throw answer == -Errno.EBUSY ? MountException.occupied(message) : new MountException(message);
    }

    private static int mount2(Path directory, MountOptions options, int fd) {
        StringBuilder data = new StringBuilder()
                .append("fd=")
                .append(fd)
                .append(",rootmode=40000,user_id=")
                .append(Linux.effectiveUser())
                .append(",group_id=")
                .append(Linux.effectiveGroup());
        if (options.allowOther()) {
            data.append(",allow_other");
        }
        if (options.defaultPermissions()) {
            data.append(",default_permissions");
        }
        if (options.maxRead() > 0) {
            data.append(",max_read=").append(options.maxRead());
        }
        long flags = (options.readOnly() ? Linux.MS_RDONLY : 0)
                | (options.setuid() ? 0 : Linux.MS_NOSUID)
                | (options.devices() ? 0 : Linux.MS_NODEV);
        return Linux.mount(options.source(), directory.toString(), "fuse." + options.subtype(), flags, data.toString());
    }

    /**
     * The mount point as an absolute path without links, if a file system can be mounted there.
     *
     * @throws MountException with one line that says why not, and what to do
     */
    public static Path checked(Path mountPoint) throws MountException {
        Path directory;
        try {
            directory = mountPoint.toRealPath();
        } catch (NoSuchFileException e) {
            throw new MountException("mount point " + mountPoint + " does not exist: mkdir -p " + mountPoint, e);
        } catch (IOException e) {
            throw new MountException(explainUnreachable(mountPoint), e);
        }
        try {
            // Before anything is asked of the directory itself: a dead mount there answers ENOTCONN to everything.
            Optional<MountTable.Entry> mounted = MountTable.find(directory);
            if (mounted.isPresent()) {
                throw MountException.occupied("mount point " + directory + " is mounted already ("
                        + mounted.get().source() + ", type " + mounted.get().type() + "): umount " + directory);
            }
            if (!Files.isDirectory(directory)) {
                throw new MountException("mount point " + directory + " is not a directory: name one that is empty");
            }
            try (Stream<Path> entries = Files.list(directory)) {
                Optional<Path> first = entries.findAny();
                if (first.isPresent()) {
                    throw new MountException("mount point " + directory + " is not empty (it holds "
                            + first.get().getFileName() + "): a mount would hide that; name an empty directory");
                }
            }
        } catch (MountException e) {
            throw e;
        } catch (IOException e) {
            throw new MountException("mount point " + directory + " cannot be read: " + e.getMessage(), e);
        }
        return directory;
    }

    private static String explainUnreachable(Path mountPoint) {
        try {
            if (MountTable.find(mountPoint.toAbsolutePath().normalize()).isPresent()) {
                return "mount point " + mountPoint + " holds a mount whose process is gone: umount -l " + mountPoint;
            }
        } catch (IOException e) {
            return "mount point " + mountPoint + " cannot be reached, nor the mount table: " + e.getMessage();
        }
        return "mount point " + mountPoint + " cannot be reached: check the directories above it";
    }

    private static String explain(Path directory, int errno) {
        return switch (errno) {
            case Errno.EPERM ->
                "no right to mount on " + directory
                        + ": this needs CAP_SYS_ADMIN (in a container: privileged), or fusermount3"
                        + " (package fuse3)";
            case Errno.ENODEV -> "the kernel has no FUSE file system: modprobe fuse";
            case Errno.EBUSY -> "mount point " + directory + " is busy: umount " + directory;
            default -> "mount on " + directory + " failed: " + Errno.name(errno);
        };
    }

    /** Absolute, without links. */
    public Path mountPoint() {
        return mountPoint;
    }

    /** The device descriptor. It is the session's to close; the last one closed ends the connection. */
    public int fd() {
        return fd;
    }

    public boolean byFusermount() {
        return byFusermount;
    }

    /**
     * Unmounts now.
     *
     * @return false when files in it are open or it is someone's working directory
     */
    public boolean unmount() throws MountException {
        if (byFusermount) {
            return Fusermount.unmount(mountPoint, false);
        }
        int answer = Linux.umount2(mountPoint.toString(), Linux.UMOUNT_NOFOLLOW);
        if (answer == -Errno.EBUSY) {
            return false;
        }
        requireGone(answer);
        return true;
    }

    /** Takes the mount out of the tree at once; the kernel ends it when its last open file is closed. */
    public void detach() throws MountException {
        if (byFusermount) {
            Fusermount.unmount(mountPoint, true);
        } else {
            requireGone(Linux.umount2(mountPoint.toString(), Linux.UMOUNT_NOFOLLOW | Linux.MNT_DETACH));
        }
    }

    private void requireGone(int answer) throws MountException {
        // EINVAL and ENOENT: someone else has unmounted it, or the directory is gone with it.
        if (answer < 0 && answer != -Errno.EINVAL && answer != -Errno.ENOENT) {
            throw new MountException("unmount of " + mountPoint + " failed: " + Errno.name(-answer));
        }
    }
}
