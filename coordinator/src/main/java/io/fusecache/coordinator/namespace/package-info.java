/**
 * The namespace as a state machine: one pure function from a command and a view of the state to an answer, a batch of
 * changes, and the inodes that others must forget first.
 *
 * <p>In come operations with the time and the session they are of; out go outcomes. No clock, no I/O, no randomness: the
 * same command on the same view has the same outcome.
 */
@NullMarked
package io.fusecache.coordinator.namespace;

import org.jspecify.annotations.NullMarked;
