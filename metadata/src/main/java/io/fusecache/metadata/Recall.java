package io.fusecache.metadata;

import java.util.Set;

/**
 * The coordinator takes back read leases before it changes what they cover.
 *
 * @param inodes whose attributes, entries (of a directory), extended attributes and content version change
 */
public record Recall(Set<Long> inodes) {}
