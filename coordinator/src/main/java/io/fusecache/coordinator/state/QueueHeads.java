package io.fusecache.coordinator.state;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Up to where there are no keys of some kinds: those that are read from their start again and again, and used up there. RocksDB
 * steps over a mark for each key that was deleted, until it compacts; from the first key that may be there it steps over
 * none.
 */
final class QueueHeads {
    private final Map<Byte, Head> heads = new HashMap<>();

    /** {@code puts} tells whether something may have come in below since somebody looked. */
    private static final class Head {
        private byte[] key;
        private long puts;

        Head(byte[] key) {
            this.key = key;
        }
    }

    /**
     * From where to look for keys.
     *
     * @param head whose keys are all looked at, if any
     */
    record Start(byte[] key, @Nullable Head head, long puts) {}

    /** @param kinds of keys that have a number of eight bytes first */
    QueueHeads(char... kinds) {
        for (char kind : kinds) {
            heads.put((byte) kind, new Head(Keys.first(kind)));
        }
    }

    /** For a look at the keys from {@code from} on. */
    synchronized Start start(byte[] from) {
        Head head = heads.get(from[0]);
        return head == null || Arrays.compareUnsigned(from, head.key) > 0
                ? new Start(from, null, 0)
                : new Start(head.key, head, head.puts);
    }

    /** That look found none before {@code first}. */
    synchronized void found(Start start, byte[] first) {
        Head head = start.head();
        if (head != null && head.puts == start.puts()) {
            head.key = first;
        }
    }

    /** The key is there now, for all who look after this. */
    synchronized void put(byte[] key) {
        Head head = heads.get(key[0]);
        if (head != null) {
            head.puts++;
            if (Arrays.compareUnsigned(key, head.key) < 0) {
                head.key = key;
            }
        }
    }
}
