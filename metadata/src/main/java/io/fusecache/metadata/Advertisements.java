package io.fusecache.metadata;

import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this node has told of the blocks it holds: the news, to be sent in batches, and all of it, to be told again to a
 * coordinator that restarted. About 100 bytes for each version held whole; past the bound the oldest are not told again.
 */
final class Advertisements {
    static final int BATCH = 512;
    private static final int MOST_REMEMBERED = 1 << 20;

    private record Version(long ino, long version) {}

    private final Map<Version, Operation.Holding> held = new LinkedHashMap<>();
    private final Map<Version, Operation.Holding> news = new LinkedHashMap<>();

    /** Returns how much news there is now. */
    synchronized int add(long ino, long version, @Nullable BitSet blocks) {
        Version key = new Version(ino, version);
        Operation.Holding before = held.get(key);
        if (before != null && before.all()) {
            return news.size();
        }
        BitSet known = before == null ? null : before.blocks();
        Operation.Holding now;
        if (blocks == null) {
            now = new Operation.Holding(ino, version, true, null);
        } else {
            BitSet union = (BitSet) blocks.clone();
            if (known != null) {
                union.or(known);
            }
            now = new Operation.Holding(ino, version, false, union);
        }
        remember(key, now);
        news.put(key, now);
        return news.size();
    }

    private void remember(Version key, Operation.Holding holding) {
        held.put(key, holding);
        if (held.size() > MOST_REMEMBERED) {
            var oldest = held.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /** This node committed it, on top of the version before: the coordinator knows, but one that restarted will not. */
    synchronized void committed(long ino, long version) {
        held.remove(new Version(ino, version - 1));
        remember(new Version(ino, version), new Operation.Holding(ino, version, true, null));
    }

    synchronized int remove(long ino, long version) {
        Version key = new Version(ino, version);
        held.remove(key);
        news.put(key, new Operation.Holding(ino, version, false, null));
        return news.size();
    }

    /** The next batch of news, empty where there is none. */
    synchronized List<Operation.Holding> take() {
        List<Operation.Holding> batch = new ArrayList<>();
        for (var it = news.values().iterator(); it.hasNext() && batch.size() < BATCH; ) {
            batch.add(it.next());
            it.remove();
        }
        return batch;
    }

    /** Everything is news to a coordinator that has forgotten it. */
    synchronized void tellAgain() {
        held.forEach(news::putIfAbsent);
    }
}
