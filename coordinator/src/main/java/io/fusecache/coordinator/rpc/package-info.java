/**
 * The coordinator's gRPC: one stream for each session, as {@code session.proto} has it.
 *
 * <p>In come messages of clients, checked and decoded; they go to {@link io.fusecache.coordinator.session.Sessions}. Out go its
 * welcomes, answers and recalls, and refusals as statuses that name what is wrong. Nothing is kept here.
 */
@NullMarked
package io.fusecache.coordinator.rpc;

import org.jspecify.annotations.NullMarked;
