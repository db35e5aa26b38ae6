package io.fusecache.metadata;

import java.util.Set;

/**
 * The coordinator takes back read leases before it changes what they cover.
 *
 * @param inodes whose attributes, entries (of a directory), extended attributes and content version change
 * @param names whether entries of a directory are among what changes, so that cached names must go
 */
public record Recall(Set<Long> inodes, boolean names) {}
