/**
 * The coordinator's ordered key-value state: its key layout and record formats, the view that commands read, the batch of
 * changes that they leave behind, and the log that makes batches durable in RocksDB.
 *
 * <p>In come batches; out go values, and word of what is durable. Nothing here knows what a directory is.
 */
@NullMarked
package io.fusecache.coordinator.state;

import org.jspecify.annotations.NullMarked;
