/**
 * Directories in which one node works alone: it answers its programs itself, and tells the coordinator later.
 *
 * <p>In come calls of the file system; out go those that are not for a delegated directory, and batches of changes that were
 * answered. Until the coordinator has them they are in a journal on the node's disk.
 */
@NullMarked
package io.fusecache.metadata.delegation;

import org.jspecify.annotations.NullMarked;
