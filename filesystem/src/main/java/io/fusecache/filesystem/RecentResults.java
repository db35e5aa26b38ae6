package io.fusecache.filesystem;

import io.fusecache.cache.HomeReply;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * What came of numbered requests, so that one that is sent again is not executed again: whoever sends it gets the result of the
 * first, and waits for it where that is still under way. Of a bounded number of them; an older one is refused.
 */
final class RecentResults {
    private final int most;

    /** Guarded by this. */
    private final TreeMap<Long, CompletableFuture<HomeReply>> byNumber = new TreeMap<>();

    private long forgotten;

    interface Execution {
        HomeReply execute() throws ErrnoException;
    }

    RecentResults(int most) {
        this.most = most;
    }

    HomeReply once(long number, Execution execution) {
        CompletableFuture<HomeReply> mine = new CompletableFuture<>();
        CompletableFuture<HomeReply> first;
        synchronized (this) {
            if (number <= forgotten) {
                return new HomeReply.Failed(Errno.EIO, "request " + number + " is older than what is remembered");
            }
            first = byNumber.putIfAbsent(number, mine);
            if (byNumber.size() > most) {
                Map.Entry<Long, CompletableFuture<HomeReply>> oldest = byNumber.pollFirstEntry();
                forgotten = oldest.getKey();
            }
        }
        if (first != null) {
            return first.join();
        }
        HomeReply reply = new HomeReply.Failed(Errno.EIO, "the home failed: its log says why");
        try {
            reply = execution.execute();
        } catch (ErrnoException e) {
            reply = new HomeReply.Failed(e.errno(), e.reason());
        } finally {
            mine.complete(reply);
        }
        return reply;
    }
}
