/**
 * A coordinator as one of a few replicas: the log that a majority has to have, the state that each of them applies it to, and
 * who leads.
 *
 * <p>In come batches of the leader; they go to the others by Apache Ratis and, when a majority has them, into the state of each,
 * byte for byte the same. Out goes word of what is committed, and of who leads. Nothing here knows what a batch means, and no type
 * of Ratis leaves.
 */
@NullMarked
package io.fusecache.coordinator.raft;

import org.jspecify.annotations.NullMarked;
