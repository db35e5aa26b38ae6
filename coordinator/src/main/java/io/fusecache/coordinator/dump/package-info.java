/**
 * The namespace as lines of JSON ({@code docs/DUMP.md}), to be kept elsewhere and brought back.
 *
 * <p>In comes a {@link io.fusecache.coordinator.state.Snapshot}, or the lines of one; out go the lines, or batches for an empty
 * state. What belongs to nodes that run, and not to the tree, is left out: sessions, leases, locks, work for the bucket.
 */
@NullMarked
package io.fusecache.coordinator.dump;

import org.jspecify.annotations.NullMarked;
