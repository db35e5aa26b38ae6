package io.fusecache.cache;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Goes first: what was not used for the longest time. */
public final class LeastRecentlyUsed<K> implements EvictionPolicy<K> {
    private final LinkedHashSet<K> coldestFirst = new LinkedHashSet<>();

    @Override
    public void used(K key) {
        coldestFirst.addLast(key);
    }

    @Override
    public void removed(K key) {
        coldestFirst.remove(key);
    }

    @Override
    public @Nullable K victim(Predicate<K> fits) {
        for (K key : coldestFirst) {
            if (fits.test(key)) {
                return key;
            }
        }
        return null;
    }

    @Override
    public List<K> hottest(int limit) {
        return coldestFirst.reversed().stream().limit(limit).toList();
    }
}
