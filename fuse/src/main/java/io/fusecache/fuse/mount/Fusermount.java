package io.fusecache.fuse.mount;

import io.fusecache.fuse.sys.Linux;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Mounting without the right to: the setuid program fusermount3 mounts and hands the device descriptor back.
 *
 * <p>It finds one end of a socket pair under the number in {@code _FUSE_COMMFD} and sends the descriptor over it as
 * SCM_RIGHTS. What it says on standard error becomes the message of a failure.
 */
final class Fusermount {
    private static final String PROGRAM = "fusermount3";
    private static final int COMMUNICATION_FD = 3;
    private static final int STANDARD_ERROR = 2;

    private Fusermount() {}

    static boolean isInstalled() {
        String path = System.getenv("PATH");
        for (String directory : (path == null ? "/bin:/usr/bin" : path).split(":", -1)) {
            if (Files.isExecutable(Path.of(directory, PROGRAM))) {
                return true;
            }
        }
        return false;
    }

    /** @return the device descriptor */
    static int mount(Path directory, MountOptions options) throws MountException {
        requireInstalled(directory);
        int[] sockets = pair("socket pair", Linux.socketPair());
        AtomicBoolean handedOver = new AtomicBoolean();
        int[] fd = {-1};
        try {
            String complaint = run(
                    List.of(PROGRAM, "-o", optionString(options), "--", directory.toString()),
                    List.of("_FUSE_COMMFD=" + COMMUNICATION_FD),
                    new int[][] {{sockets[0], COMMUNICATION_FD}},
                    () -> {
                        // Ours is closed first: when the program ends without sending, the wait ends too.
                        handedOver.set(true);
                        Posix.close(sockets[0]);
                        fd[0] = Linux.receiveDescriptor(sockets[1]);
                    });
            if (fd[0] < 0) {
                throw new MountException(explain(directory, complaint));
            }
            return fd[0];
        } finally {
            Posix.close(sockets[1]);
            if (!handedOver.get()) {
                Posix.close(sockets[0]);
            }
        }
    }

    /** @return false when it is busy and {@code lazily} was not asked for */
    static boolean unmount(Path directory, boolean lazily) throws MountException {
        requireInstalled(directory);
        List<String> command = new ArrayList<>(List.of(PROGRAM, "-u", "-q"));
        if (lazily) {
            command.add("-z");
        }
        command.addAll(List.of("--", directory.toString()));
        String complaint = run(command, List.of(), new int[][] {}, () -> {});
        if (complaint == null) {
            return true;
        }
        try {
            if (MountTable.find(directory).isEmpty()) {
                return true;
            }
        } catch (IOException e) {
            throw new MountException("unmount of " + directory + ": " + complaint, e);
        }
        if (!lazily) {
            // With -q the program says nothing of its reason; that it is still mounted leaves one.
            return false;
        }
        throw new MountException("unmount of " + directory + ": " + complaint);
    }

    private static String optionString(MountOptions options) {
        StringBuilder text = new StringBuilder("fsname=")
                .append(options.source().replace("\\", "\\\\").replace(",", "\\,"))
                .append(",subtype=")
                .append(options.subtype());
        if (options.allowOther()) {
            text.append(",allow_other");
        }
        if (options.defaultPermissions()) {
            text.append(",default_permissions");
        }
        if (options.readOnly()) {
            text.append(",ro");
        }
        if (options.maxRead() > 0) {
            text.append(",max_read=").append(options.maxRead());
        }
        return text.toString();
    }

    /** Runs the program and {@code meanwhile}; null when it ended well, else what it said. */
    private static @Nullable String run(
            List<String> command, List<String> environment, int[][] inherited, Runnable meanwhile)
            throws MountException {
        int[] errors = pair("pipe", Linux.pipe());
        // Standard error first: its end of the pipe may have the very number that another descriptor is to get.
        int[][] all = new int[inherited.length + 1][];
        all[0] = new int[] {errors[1], STANDARD_ERROR};
        System.arraycopy(inherited, 0, all, 1, inherited.length);
        List<String> variables = new ArrayList<>(environment);
        System.getenv().forEach((name, value) -> variables.add(name + "=" + value));
        int pid = Linux.spawn(command, variables, all);
        Posix.close(errors[1]);
        try {
            if (pid < 0) {
                throw new MountException(PROGRAM + " could not be started: " + Errno.name(-pid));
            }
            meanwhile.run();
            String said = readAll(errors[0]);
            int status = Linux.waitFor(pid);
            return status == 0 ? null : said.isEmpty() ? PROGRAM + " ended with status " + status : said;
        } finally {
            Posix.close(errors[0]);
        }
    }

    private static String readAll(int fd) {
        StringBuilder text = new StringBuilder();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(4096);
            long n;
            while ((n = Posix.read(fd, buffer, buffer.byteSize())) > 0 || n == -Errno.EINTR) {
                if (n > 0) {
                    text.append(
                            new String(buffer.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
                }
            }
        }
        return text.toString().strip().replace('\n', ' ');
    }

    private static int[] pair(String what, int[] ends) throws MountException {
        if (ends.length == 1) {
            throw new MountException("no " + what + " for " + PROGRAM + ": " + Errno.name(-ends[0]));
        }
        return ends;
    }

    private static void requireInstalled(Path directory) throws MountException {
        if (!isInstalled()) {
            throw new MountException("no right to mount on " + directory + ", and " + PROGRAM
                    + " is not on PATH: run as root, or install the package fuse3");
        }
    }

    private static String explain(Path directory, @Nullable String complaint) {
        String said = complaint == null ? PROGRAM + " sent no descriptor" : complaint;
        String remedy = "";
        if (said.contains("/dev/fuse") && said.contains("Permission denied")) {
            remedy = "; run as root, or chmod 0666 /dev/fuse";
        } else if (said.contains("user_allow_other")) {
            remedy = "; write user_allow_other into /etc/fuse.conf, or mount without allow_other";
        } else if (said.contains("/dev/fuse")) {
            remedy = "; load the kernel's module (modprobe fuse) or give the container the device";
        } else if (said.contains("Permission denied") || said.contains("Operation not permitted")) {
            remedy = "; the mount point must belong to this user, and fusermount3 be setuid root";
        }
        return "mount on " + directory + " by " + PROGRAM + " failed: " + said + remedy;
    }
}
