package io.fusecache.coordinator.state;

import org.jspecify.annotations.Nullable;

/** An ordered key-value state as a command reads it: keys compare as unsigned bytes. */
public interface View {
    byte @Nullable [] get(byte[] key);

    /** Walks the keys from {@code from} (inclusive) to {@code to} (exclusive) in order, until the visitor says stop. */
    void scan(byte[] from, byte[] to, Visitor visitor);

    /** Sees one entry; false ends the scan. */
    @FunctionalInterface
    interface Visitor {
        boolean visit(byte[] key, byte[] value);
    }
}
