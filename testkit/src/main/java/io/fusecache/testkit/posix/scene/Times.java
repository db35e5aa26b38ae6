package io.fusecache.testkit.posix.scene;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * The times of some files as they were before a call, to be compared with what they are after it. The clock has moved on
 * from all of them when this is made, so that a time which is set anew differs.
 */
public final class Times {
    private static final long NANOS = 1_000_000_000L;
    private static final int CLOCK_REALTIME_COARSE = 5;
    private static final long POLL_NANOS = 500_000;

    private final Scene scene;
    private final Map<Object, Stat> before = new LinkedHashMap<>();

    /** @param targets paths, whose last component is not followed, and descriptors */
    Times(Scene scene, Object... targets) {
        this.scene = scene;
        long latest = 0;
        for (Object target : targets) {
            Stat stat = scene.statOf(target);
            before.put(target, stat);
            latest = Math.max(latest, Math.max(stat.ctime(), Math.max(stat.mtime(), stat.atime())));
        }
        awaitClockAfter(latest);
    }

    /** Files are stamped by a clock that stands still for some milliseconds. */
    private void awaitClockAfter(long moment) {
        long start = clock();
        long now = start;
        while (now <= moment && now - start < NANOS) {
            LockSupport.parkNanos(POLL_NANOS);
            now = clock();
        }
    }

    private long clock() {
        Caller root = scene.root();
        root.call(Syscall.CLOCK_GETTIME, CLOCK_REALTIME_COARSE, root.buffer()).ok();
        return root.buffer().get(JAVA_LONG, 0) * NANOS + root.buffer().get(JAVA_LONG, 8);
    }

    /** These must be later now: a letter each of a(time), m(time) and c(time). */
    public Times changed(Object target, String letters) {
        return compare(target, letters, true);
    }

    /** These must be what they were. */
    public Times kept(Object target, String letters) {
        return compare(target, letters, false);
    }

    /** These must be later now, the others what they were. */
    public Times exactly(Object target, String letters) {
        return changed(target, letters).kept(target, "amc".replaceAll("[" + letters + "]", ""));
    }

    /** A name moved, and its times are asked for by the new one. */
    public Times moved(String from, String to) {
        before.put(to, was(from));
        return this;
    }

    private Times compare(Object target, String letters, boolean later) {
        Stat now = scene.statOf(target);
        for (int i = 0; i < letters.length(); i++) {
            char letter = letters.charAt(i);
            long old = time(was(target), letter);
            long current = time(now, letter);
            if (later ? current <= old : current != old) {
                throw new Violation(letter + "time of " + target
                        + (later
                                ? " was not set: it is " + current + ", and was " + old
                                : " changed from " + old + " to " + current));
            }
        }
        return this;
    }

    private Stat was(Object target) {
        Stat stat = before.get(target);
        if (stat == null) {
            throw new AssertionError("the times of " + target + " were not taken");
        }
        return stat;
    }

    private static long time(Stat stat, char letter) {
        return switch (letter) {
            case 'a' -> stat.atime();
            case 'm' -> stat.mtime();
            case 'c' -> stat.ctime();
            default -> throw new AssertionError(letter);
        };
    }
}
