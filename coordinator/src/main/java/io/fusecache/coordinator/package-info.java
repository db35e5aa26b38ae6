/**
 * The coordinator as a whole: opening its state, and the ways to reach it.
 *
 * <p>{@code state} is the ordered key-value state and its log, {@code namespace} the pure state machine over it, {@code
 * session} what makes many clients see one file system, {@code rpc} their streams over gRPC, {@code rest} the REST interface. In
 * come sessions and REST calls; out go answers and recalls.
 */
@NullMarked
package io.fusecache.coordinator;

import org.jspecify.annotations.NullMarked;
