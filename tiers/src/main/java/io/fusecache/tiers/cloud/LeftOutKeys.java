package io.fusecache.tiers.cloud;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keys of a bucket that no path can lead to: each is told of once, and counted; of very many only the first are. */
final class LeftOutKeys {
    private static final int MOST = 10_000;
    private static final int MOST_TOLD = 100;
    private static final Logger LOG = LoggerFactory.getLogger(LeftOutKeys.class);

    private final String store;
    private final Set<String> keys = ConcurrentHashMap.newKeySet();

    LeftOutKeys(String store) {
        this.store = store;
    }

    /** @param key of an object, or what keys begin with, up to a slash */
    void add(String key, String reason) {
        if (keys.size() >= MOST || !keys.add(key)) {
            return;
        }
        if (keys.size() <= MOST_TOLD) {
            LOG.warn("{} has '{}', which does not show: {}", store, key, reason);
        }
    }

    /** How many were seen. */
    int count() {
        return keys.size();
    }
}
