package io.fusecache.fuse.sys;

import static io.fusecache.fuse.sys.Downcall.broken;
import static io.fusecache.fuse.sys.Downcall.cString;

import io.fusecache.fuse.wire.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * The system calls that are Linux's own: mounting, splicing, device controls, descriptors over sockets, signals.
 *
 * <p>The contract is that of {@link Posix}: answers as the manual gives them, errors as negated numbers.
 */
public final class Linux {
    public static final int MS_RDONLY = 1;
    public static final int MS_NOSUID = 2;
    public static final int MS_NODEV = 4;
    public static final int MS_NOEXEC = 8;
    public static final int MS_NOATIME = 1024;

    public static final int MNT_FORCE = 1;
    public static final int MNT_DETACH = 2;
    public static final int UMOUNT_NOFOLLOW = 8;

    public static final int SPLICE_F_MOVE = 1;
    public static final int SPLICE_F_NONBLOCK = 2;

    private static final int F_SETPIPE_SZ = 1031;
    private static final int F_SETLEASE = 1024;
    public static final int F_WRLCK = 1;
    public static final int F_UNLCK = 2;
    public static final int SIGIO = 29;
    private static final long SIG_IGN = 1;
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int SIGACTION_SIZE = 152;

    private static final MethodHandle IOCTL = Downcall.ofVariadicInt("ioctl", "ilp", 2);
    private static final MethodHandle FCNTL = Downcall.ofVariadicInt("fcntl", "iii", 2);
    private static final MethodHandle MOUNT = Downcall.ofInt("mount", "ppplp");
    private static final MethodHandle UMOUNT2 = Downcall.ofInt("umount2", "pi");
    private static final MethodHandle SPLICE = Downcall.ofLong("splice", "ipipli");
    private static final MethodHandle PIPE2 = Downcall.ofInt("pipe2", "pi");
    private static final MethodHandle SOCKETPAIR = Downcall.ofInt("socketpair", "iiip");
    private static final MethodHandle RECVMSG = Downcall.ofLong("recvmsg", "ipi");
    private static final MethodHandle SPAWN = Downcall.ofInt("posix_spawnp", "pppppp");
    private static final MethodHandle SPAWN_ACTIONS_INIT = Downcall.ofInt("posix_spawn_file_actions_init", "p");
    private static final MethodHandle SPAWN_ACTIONS_DUP2 = Downcall.ofInt("posix_spawn_file_actions_adddup2", "pii");
    private static final MethodHandle SPAWN_ACTIONS_DESTROY = Downcall.ofInt("posix_spawn_file_actions_destroy", "p");
    private static final MethodHandle WAITPID = Downcall.ofInt("waitpid", "ipi");
    private static final MethodHandle SIGACTION = Downcall.ofInt("sigaction", "ipp");
    private static final MethodHandle TGKILL = Downcall.ofInt("tgkill", "iii");
    private static final MethodHandle GETTID = Downcall.ofInt("gettid", "");
    private static final MethodHandle GETPID = Downcall.ofInt("getpid", "");
    private static final MethodHandle GETEUID = Downcall.ofInt("geteuid", "");
    private static final MethodHandle GETEGID = Downcall.ofInt("getegid", "");
    private static final MethodHandle GETPAGESIZE = Downcall.ofInt("getpagesize", "");

    private Linux() {}

    /** @param argument what the request's struct is; it may be written to */
    public static int ioctl(int fd, long request, MemorySegment argument) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) IOCTL.invokeExact(ErrnoSlots.segment(slot), fd, request, argument), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Makes a pipe hold {@code bytes} at least and answers what it holds now. */
    public static int setPipeSize(int fd, int bytes) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FCNTL.invokeExact(ErrnoSlots.segment(slot), fd, F_SETPIPE_SZ, bytes), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /**
     * Takes or gives back a lease on an open file, fcntl(2) F_SETLEASE. A write lease is had only while nobody else has the
     * file open for writing or mapped so: EAGAIN. While it is held, whoever opens the file waits, and this process gets
     * SIGIO.
     *
     * @param type {@link #F_WRLCK} or {@link #F_UNLCK}
     */
    public static int setLease(int fd, int type) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) FCNTL.invokeExact(ErrnoSlots.segment(slot), fd, F_SETLEASE, type), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int mount(String source, String target, String type, long flags, String options) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result(
                    (int) MOUNT.invokeExact(
                            ErrnoSlots.segment(slot),
                            cString(arena, source),
                            cString(arena, target),
                            cString(arena, type),
                            flags,
                            cString(arena, options)),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    public static int umount2(String target, int flags) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            return result((int) UMOUNT2.invokeExact(ErrnoSlots.segment(slot), cString(arena, target), flags), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** @param inOffset where to read, or {@link MemorySegment#NULL} for the descriptor's own position and for a pipe */
    public static long splice(int in, MemorySegment inOffset, int out, long length, int flags) {
        int slot = ErrnoSlots.take();
        try {
            return result(
                    (long) SPLICE.invokeExact(
                            ErrnoSlots.segment(slot), in, inOffset, out, MemorySegment.NULL, length, flags),
                    slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** A pipe's reading end, then its writing end, both closed on exec; or one negated error number. */
    public static int[] pipe() {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(8, 4);
            int answer = result((int) PIPE2.invokeExact(ErrnoSlots.segment(slot), ends, Posix.O_CLOEXEC), slot);
            return answer < 0 ? new int[] {answer} : ends.toArray(ValueLayout.JAVA_INT);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Two connected sockets, closed on exec; or one negated error number. */
    public static int[] socketPair() {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(8, 4);
            int answer = result(
                    (int) SOCKETPAIR.invokeExact(
                            ErrnoSlots.segment(slot), AF_UNIX, SOCK_STREAM | Posix.O_CLOEXEC, 0, ends),
                    slot);
            return answer < 0 ? new int[] {answer} : ends.toArray(ValueLayout.JAVA_INT);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Waits for a descriptor that the other end of the socket sends; -ENOTCONN when it closed without sending one. */
    public static int receiveDescriptor(int socket) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(8, 8);
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(ValueLayout.JAVA_LONG, 0, data.address());
            vector.set(ValueLayout.JAVA_LONG, 8, 1);
            MemorySegment control = arena.allocate(64, 8);
            MemorySegment header = arena.allocate(56, 8);
            header.set(ValueLayout.JAVA_LONG, 16, vector.address());
            header.set(ValueLayout.JAVA_LONG, 24, 1);
            header.set(ValueLayout.JAVA_LONG, 32, control.address());
            header.set(ValueLayout.JAVA_LONG, 40, control.byteSize());
            long n = result(
                    (long) RECVMSG.invokeExact(ErrnoSlots.segment(slot), socket, header, MSG_CMSG_CLOEXEC), slot);
            if (n < 0) {
                return (int) n;
            }
            boolean carries = header.get(ValueLayout.JAVA_LONG, 40) >= 20
                    && control.get(ValueLayout.JAVA_INT, 8) == SOL_SOCKET
                    && control.get(ValueLayout.JAVA_INT, 12) == SCM_RIGHTS;
            return carries ? control.get(ValueLayout.JAVA_INT, 16) : -Errno.ENOTCONN;
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /**
     * Starts a program found on PATH, with descriptors of this process as some of its own.
     *
     * @param inherited pairs: a descriptor here, and its number there
     * @return the process id; {@link #waitFor} takes it back
     */
    public static int spawn(List<String> command, List<String> environment, int[][] inherited) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment call = ErrnoSlots.segment(slot);
            // The opaque struct has 80 bytes in glibc and fewer in musl.
            MemorySegment actions = arena.allocate(256, 16);
            int answer = -(int) SPAWN_ACTIONS_INIT.invokeExact(call, actions);
            for (int[] pair : inherited) {
                if (answer == 0) {
                    answer = -(int) SPAWN_ACTIONS_DUP2.invokeExact(call, actions, pair[0], pair[1]);
                }
            }
            MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
            if (answer == 0) {
                answer = -(int) SPAWN.invokeExact(
                        call,
                        pid,
                        cString(arena, command.getFirst()),
                        actions,
                        MemorySegment.NULL,
                        strings(arena, command),
                        strings(arena, environment));
            }
            int _ = (int) SPAWN_ACTIONS_DESTROY.invokeExact(call, actions);
            return answer < 0 ? answer : pid.get(ValueLayout.JAVA_INT, 0);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    private static MemorySegment strings(Arena arena, List<String> texts) {
        MemorySegment table = arena.allocate(ValueLayout.ADDRESS, texts.size() + 1L);
        for (int i = 0; i < texts.size(); i++) {
            table.setAtIndex(ValueLayout.ADDRESS, i, cString(arena, texts.get(i)));
        }
        return table;
    }

    /** Waits for a process of {@link #spawn} and answers its exit status, 128 and more for a signal. */
    public static int waitFor(int pid) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
            int answer;
            do {
                answer = result((int) WAITPID.invokeExact(ErrnoSlots.segment(slot), pid, status, 0), slot);
            } while (answer == -Errno.EINTR);
            if (answer < 0) {
                return answer;
            }
            int value = status.get(ValueLayout.JAVA_INT, 0);
            return (value & 0x7f) == 0 ? (value >> 8) & 0xff : 128 + (value & 0x7f);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /**
     * Makes {@code signal} do nothing but interrupt the call that the thread it is sent to waits in.
     *
     * <p>A handler that runs no Java: abs(3) takes an int, gives one back, and touches nothing.
     */
    public static int handleByInterruptingOnly(int signal) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            // No SA_RESTART: an interrupted call is to answer EINTR.
            MemorySegment action = arena.allocate(SIGACTION_SIZE, 8);
            action.set(ValueLayout.ADDRESS, 0, Downcall.address("abs"));
            return result(
                    (int) SIGACTION.invokeExact(ErrnoSlots.segment(slot), signal, action, MemorySegment.NULL), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Makes {@code signal} do nothing at all. */
    public static int ignore(int signal) {
        int slot = ErrnoSlots.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(SIGACTION_SIZE, 8);
            action.set(ValueLayout.ADDRESS, 0, MemorySegment.ofAddress(SIG_IGN));
            return result(
                    (int) SIGACTION.invokeExact(ErrnoSlots.segment(slot), signal, action, MemorySegment.NULL), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** Sends a signal to one thread of this process. */
    public static int signalThread(int threadId, int signal) {
        int slot = ErrnoSlots.take();
        try {
            return result((int) TGKILL.invokeExact(ErrnoSlots.segment(slot), processId(), threadId, signal), slot);
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    /** The kernel's id of the calling platform thread. */
    public static int threadId() {
        return plain(GETTID);
    }

    public static int processId() {
        return plain(GETPID);
    }

    public static int effectiveUser() {
        return plain(GETEUID);
    }

    public static int effectiveGroup() {
        return plain(GETEGID);
    }

    public static int pageSize() {
        return plain(GETPAGESIZE);
    }

    private static int plain(MethodHandle call) {
        int slot = ErrnoSlots.take();
        try {
            return (int) call.invokeExact(ErrnoSlots.segment(slot));
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            ErrnoSlots.give(slot);
        }
    }

    private static int result(int answer, int slot) {
        return answer < 0 ? -ErrnoSlots.errno(slot) : answer;
    }

    private static long result(long answer, int slot) {
        return answer < 0 ? -ErrnoSlots.errno(slot) : answer;
    }
}
