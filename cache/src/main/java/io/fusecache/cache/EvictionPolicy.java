package io.fusecache.cache;

import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The order in which cached things go. Holds only what may go at all: whoever pins a thing or must not lose it takes it
 * out. Not safe for use by several threads: the owner's lock guards it.
 */
public interface EvictionPolicy<K> {
    /** {@code key} was used just now; it is in the order from here on. */
    void used(K key);

    void removed(K key);

    /** The next one to go among those that {@code fits} admits; it stays in the order. Null where there is none. */
    @Nullable K victim(Predicate<K> fits);

    /** At most {@code limit}, the last to go first. */
    List<K> hottest(int limit);
}
