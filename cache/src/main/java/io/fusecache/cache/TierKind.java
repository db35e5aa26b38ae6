package io.fusecache.cache;

/** Where bytes came from, by the name that the REST interface and the metrics use. */
public enum TierKind {
    NVME,
    PEER,
    CLOUD;

    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
