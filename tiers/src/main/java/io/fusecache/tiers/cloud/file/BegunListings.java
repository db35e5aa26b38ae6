package io.fusecache.tiers.cloud.file;

import java.io.InterruptedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Names that were read for a page of a listing and are left for its next ones, so that a folder is not read again for each.
 * They are of that listing alone: another one, begun later, shows the folder as it is later. Bounded: a listing whose
 * names had to go reads them again.
 */
final class BegunListings {
    private static final int MOST = 2;

    /** Pages that are being read, each of which may have as many names in hand. */
    private static final int MOST_AT_ONCE = 4;

    private final Semaphore reading = new Semaphore(MOST_AT_ONCE);
    private final Map<Long, SortedNames> begun = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, SortedNames> eldest) {
            return size() > MOST;
        }
    };
    private long last;

    /** Where a page begins: which listing it is of, and the last key of the page before, or null. A continuation as text. */
    record Place(long listing, @Nullable String after) {
        static Place parse(String continuation) {
            int colon = continuation.indexOf(':');
            return new Place(Long.parseLong(continuation, 0, colon, 10), continuation.substring(colon + 1));
        }

        String continuation(String lastKey) {
            return listing + ":" + lastKey;
        }
    }

    /** Waits until few enough pages are being read; {@link #end} follows. */
    void begin() throws InterruptedIOException {
        try {
            reading.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while other folders are listed");
        }
    }

    void end() {
        reading.release();
    }

    synchronized Place place(@Nullable String continuation) {
        return continuation == null ? new Place(++last, null) : Place.parse(continuation);
    }

    synchronized @Nullable SortedNames find(Place place) {
        return begun.get(place.listing());
    }

    /** @param names null where none are left */
    synchronized void keep(Place place, @Nullable SortedNames names) {
        if (names == null) {
            begun.remove(place.listing());
        } else {
            begun.put(place.listing(), names);
        }
    }
}
