package io.fusecache.fuse.wire;

/** Attributes, and for how long the kernel may trust them. */
public record AttributesReply(long validNanos, Attributes attributes) {}
