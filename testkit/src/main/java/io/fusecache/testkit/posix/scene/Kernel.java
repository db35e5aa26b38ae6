package io.fusecache.testkit.posix.scene;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * One thread's way into the kernel: syscall(2), with a user of its own for each call.
 *
 * <p>Users, groups, umask and working directory belong to the thread here. The C library's setresuid() changes all
 * threads of a process; the system call of that name, which this class makes, changes the one that calls. The thread is
 * the actor for the length of one call and root otherwise, so that whatever the virtual machine opens meanwhile (a class
 * file, say) is opened by root. The saved user stays root: that is the way back.
 *
 * <p>Confined to the thread that created it.
 */
@SuppressWarnings("restricted") // native access is what this class is for
final class Kernel implements SystemCalls {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle SYSCALL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(1));

    private static final int CLONE_FS = 0x200;

    private final MemorySegment errno;
    private final MemorySegment groups;

    Kernel(Arena arena) {
        errno = arena.allocate(JAVA_INT);
        groups = arena.allocate(JAVA_INT, 16);
        must(Syscall.UNSHARE, CLONE_FS, 0, 0);
    }

    @Override
    public long call(Actor actor, Syscall syscall, long[] arguments) {
        if (actor == Actor.ROOT) {
            return raw(syscall, arguments);
        }
        become(actor);
        long answer = raw(syscall, arguments);
        becomeRoot();
        return answer;
    }

    private void become(Actor actor) {
        List<Integer> supplementary = actor.groups();
        for (int i = 0; i < supplementary.size(); i++) {
            groups.setAtIndex(JAVA_INT, i, supplementary.get(i));
        }
        must(Syscall.SETGROUPS, supplementary.size(), groups.address(), 0);
        must(Syscall.SETRESGID, actor.gid(), actor.gid(), 0);
        must(Syscall.SETRESUID, actor.uid(), actor.uid(), 0);
    }

    private void becomeRoot() {
        must(Syscall.SETRESUID, 0, 0, 0);
        must(Syscall.SETRESGID, 0, 0, 0);
        must(Syscall.SETGROUPS, 0, 0, 0);
    }

    private void must(Syscall syscall, long a, long b, long c) {
        long answer = raw(syscall, new long[] {a, b, c, 0, 0, 0});
        if (answer < 0) {
            throw new IllegalStateException(
                    syscall + " failed with " + Errno.name((int) -answer) + ": the suite must be run as root");
        }
    }

    /** Sends a signal to a thread of this process. */
    static void signal(Arena arena, long tid, int signal) {
        long pid = ProcessHandle.current().pid();
        raw(arena.allocate(JAVA_INT), Syscall.TGKILL, new long[] {pid, tid, signal, 0, 0, 0});
    }

    private long raw(Syscall syscall, long[] arguments) {
        return raw(errno, syscall, arguments);
    }

    private static long raw(MemorySegment errno, Syscall syscall, long[] a) {
        try {
            long answer =
                    (long) SYSCALL.invokeExact(errno, (long) syscall.number(), a[0], a[1], a[2], a[3], a[4], a[5]);
            // Addresses and offsets may be negative as numbers: only -1 says that errno is set.
            return answer == -1 ? -errno.get(JAVA_INT, 0) : answer;
        } catch (Throwable t) {
            throw new AssertionError("a downcall throws nothing", t);
        }
    }
}
