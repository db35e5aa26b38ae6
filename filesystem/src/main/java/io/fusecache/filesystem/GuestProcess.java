package io.fusecache.filesystem;

import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A process of another node and what it has open here, by the numbers that it gave. */
final class GuestProcess {
    private static final int MOST_RESULTS = 1024;

    private final long process;
    private final long predecessor;
    private final Consumer<GuestFile> giveBack;
    private final ConcurrentHashMap<Long, GuestFile> files = new ConcurrentHashMap<>();
    private final RecentResults opens = new RecentResults(MOST_RESULTS);
    private volatile long heardNanos = System.nanoTime();
    private volatile boolean ended;

    /**
     * @param predecessor the process that its node ran before, 0 where that is not known
     * @param giveBack called once for each file, when nobody uses it any more
     */
    GuestProcess(long process, long predecessor, Consumer<GuestFile> giveBack) {
        this.process = process;
        this.predecessor = predecessor;
        this.giveBack = giveBack;
    }

    boolean is(long number) {
        return process == number;
    }

    /** Whether that is the one before, which is gone. */
    boolean follows(long number) {
        return predecessor == number;
    }

    GuestProcess next(long number) {
        return new GuestProcess(number, process, giveBack);
    }

    void heard() {
        heardNanos = System.nanoTime();
    }

    long silentMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - heardNanos);
    }

    boolean isFull() {
        return files.size() >= HomeRequest.MAX_HANDLES;
    }

    /** For use until {@link #leave}; null where there is none of that number. */
    @Nullable GuestFile enter(long handle) {
        GuestFile file = files.get(handle);
        return file != null && file.enter() ? file : null;
    }

    void leave(GuestFile file) {
        if (file.leave()) {
            giveBack.accept(file);
        }
    }

    HomeReply open(long handle, RecentResults.Execution opening) {
        return opens.once(handle, opening);
    }

    /** False where the process has ended meanwhile: the file is closed then. */
    boolean add(long handle, GuestFile file) {
        files.put(handle, file);
        if (ended) {
            close(handle);
            return false;
        }
        return true;
    }

    void close(long handle) {
        GuestFile file = files.remove(handle);
        if (file != null && file.close()) {
            giveBack.accept(file);
        }
    }

    /** Closes those up to {@code newest} that are not in {@code open}. */
    void keep(long newest, List<Long> open) {
        Set<Long> kept = new HashSet<>(open);
        for (long handle : files.keySet()) {
            if (handle <= newest && !kept.contains(handle)) {
                close(handle);
            }
        }
    }

    /** Closes all. Returns how many there were. */
    int end() {
        ended = true;
        int closed = 0;
        for (long handle : files.keySet()) {
            close(handle);
            closed++;
        }
        return closed;
    }
}
