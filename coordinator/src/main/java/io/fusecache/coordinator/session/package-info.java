/**
 * Sessions: who is connected, what they may cache, and in which order what they ask for happens.
 *
 * <p>In come the messages of client streams; out go, on the same streams, answers that are durable, and recalls. What is
 * kept here is in memory: leases on what was read, the nodes, and who holds which blocks. It is built again by the clients
 * after a restart; everything lasting is in the state.
 */
@NullMarked
package io.fusecache.coordinator.session;

import org.jspecify.annotations.NullMarked;
